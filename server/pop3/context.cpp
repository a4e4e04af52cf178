// See context.h.
#include "server/pop3/context.h"

#include <utility>

#include "protocol/pop3/command.h"
#include "server/pop3/access.h"
#include "server/pop3/expiry.h"

namespace postkeep::pop3 {

Context::Context(server::SessionContext& session)
    : host(session),
      services(session.services),
      connection(session.connection),
      log(session.logger),
      framer(credentials_line_octets_max) {
  set_limits();
}

void Context::set_limits() {
  if (maildrop) {
    connection.set_read_timeout(settings().limits.pop3_timeout);
    connection.clear_time_limit();
  } else {
    connection.set_read_timeout(settings().limits.time_to_authenticate);
    connection.set_time_limit(settings().limits.time_to_authenticate);
  }
}

server::Awaitable<void> Context::read_more() {
  co_await connection.flush();
  std::string bytes;
  const std::size_t count = co_await connection.read_some(bytes);
  if (count == 0) throw PeerLeft();
  framer.push(bytes);
}

void Context::note_retrieved(Uid uid) {
  ++retrieved;
  seen.add(uid);
  if (settings().pop3.expire_days == 0U) retrieved_uids.add(uid);
}

server::Awaitable<void> Context::store_seen() {
  if (seen.empty()) co_return;
  UidSet uids = std::exchange(seen, UidSet());
  Flags flags;
  flags.set(SystemFlag::seen);
  if (settings().pop3.expire_days > 0U) flags.add_keyword(retrieved_keyword);
  Outcome stored = co_await add_flags(gateway(), account, maildrop->mailbox(), uids, flags);
  if (!stored && stored.error().kind == ErrorKind::limit) {  // no room for one more keyword: such messages stay
    flags.remove_keyword(retrieved_keyword);
    stored = co_await add_flags(gateway(), account, maildrop->mailbox(), std::move(uids), std::move(flags));
  }
  if (!stored) log.error("seen_not_stored", {{"reason", stored.error().detail}});
}

server::Awaitable<Outcome> Context::enter_transaction(server::AccountPtr whose) {
  // The settings were checked when they were loaded.
  auto format = CO_TRY(UidlFormat::parse(settings().pop3.uidl_format));
  auto opened = co_await open_maildrop(gateway(), whose, std::move(format));
  if (!opened) co_return tl::unexpected<Error>(std::move(opened).error());
  account = std::move(whose);
  maildrop = std::move(*opened);
  set_limits();
  co_return Outcome();
}

void Context::forget_everything() {
  framer = line::LineFramer(credentials_line_octets_max);
  account.reset();
  maildrop.reset();
  login.reset();
  read_ahead = ReadAhead();
  seen = UidSet();
  retrieved_uids = UidSet();
  utf8 = false;
  host.failed_logins = 0;
  set_limits();
}

}  // namespace postkeep::pop3
