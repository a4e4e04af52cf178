// See context.h.
#include "server/imap/context.h"

#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/imap/notify_push.h"
#include "server/runtime/login.h"

namespace postkeep::imap {

namespace {

// Before login nobody needs more: a password, a SASL response.
constexpr std::size_t unknown_peer_text_bytes_max = 8 * 1024;
constexpr std::uint64_t unknown_peer_literal_bytes_max = 4 * 1024;

}  // namespace

Context::Context(server::SessionContext& session)
    : host(session), services(session.services), connection(session.connection), log(session.logger) {
  set_limits();
}

void Context::set_limits() {
  FramerLimits limits;
  if (account) {
    limits.command_text_bytes_max = settings().limits.line_length;
    limits.literal_bytes_max = settings().limits.literal_size;
    limits.command_literal_bytes_max = settings().limits.command_size;
    connection.set_read_timeout(settings().limits.idle_timeout);
    connection.clear_time_limit();
  } else {
    limits.command_text_bytes_max = unknown_peer_text_bytes_max;
    limits.literal_bytes_max = unknown_peer_literal_bytes_max;
    limits.command_literal_bytes_max = 2 * unknown_peer_literal_bytes_max;
    limits.discard_bytes_max = settings().limits.command_size;
    connection.set_read_timeout(settings().limits.time_to_authenticate);
    connection.set_time_limit(settings().limits.time_to_authenticate);
  }
  framer.set_limits(limits);
}

State Context::state() const {
  if (!account) return State::not_authenticated;
  return selected ? State::selected : State::authenticated;
}

server::Gateway& Context::gateway() const { return services.gateway; }

auth::Channel Context::channel() const { return server::channel_of(host); }

server::Awaitable<void> Context::read_more() {
  co_await connection.flush();
  std::string bytes;
  const std::size_t count = co_await connection.read_some(bytes);
  if (count == 0) throw PeerLeft();
  framer.feed(bytes);
}

MailboxName::Encoding Context::name_encoding() const {
  return speaks_utf8() ? MailboxName::Encoding::utf8 : MailboxName::Encoding::modified_utf7;
}

Result<MailboxName> Context::mailbox_name(std::string_view wire) const {
  const bool names_a_parent = wire.size() > 1 && wire.back() == settings().mailbox.separator;
  if (names_a_parent && !seeded(Fault::separator_kept)) wire.remove_suffix(1);
  return MailboxName::from_wire(wire, name_encoding(), settings().mailbox.separator);
}

std::string Context::wire_name(const MailboxName& name) const {
  return name.to_wire(name_encoding(), settings().mailbox.separator);
}

Result<UidSet> Context::resolve(const SequenceSet& set) const {
  if (set.saved_result) return selected->view.messages().existing(selected->saved_result);
  if (uid_form == UidForm::yes) return selected->view.resolve_uids(set);
  return selected->view.resolve_sequence(set);
}

UidSet Context::numbers_of(const UidSet& uids) const {
  if (uid_form == UidForm::yes) return uids;
  UidSet numbers;
  selected->view.messages().for_each_in(
      uids, [&](SeqNum number, const storage::MessageState&) { numbers.add(Uid(number.value())); });
  return numbers;
}

Outcome Context::require_write() const {
  if (selected->access == Access::read_write) return {};
  return failure(ErrorKind::no_permission, "The mailbox is open for reading only");
}

void Context::enter_authenticated(server::AccountPtr whose) {
  account = std::move(whose);
  set_limits();
}

void Context::leave_mailbox() {
  if (notify && selected) note_left(*this);
  selected.reset();
}

void Context::leave_account() {
  notify.reset();
  leave_mailbox();
  account.reset();
  enabled = Enabled();
  host.log_out();
  set_limits();
}

void Context::forget_everything() {
  framer = Framer();
  client_name.clear();
  host.failed_logins = 0;
  leave_account();
}

}  // namespace postkeep::imap
