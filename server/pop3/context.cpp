// See context.h.
#include "server/pop3/context.h"

#include <utility>

#include "protocol/pop3/command.h"
#include "server/pop3/access.h"

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

server::Awaitable<void> Context::store_seen() {
  if (seen.empty()) co_return;
  UidSet uids = std::exchange(seen, UidSet());
  const Outcome stored = co_await mark_seen(gateway(), account, maildrop->mailbox(), std::move(uids));
  if (!stored) log.error("seen_not_stored", {{"reason", stored.error().detail}});
}

server::Awaitable<Outcome> Context::enter_transaction(server::AccountPtr whose) {
  auto opened = co_await open_maildrop(gateway(), whose);
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
  host.failed_logins = 0;
  set_limits();
}

}  // namespace postkeep::pop3
