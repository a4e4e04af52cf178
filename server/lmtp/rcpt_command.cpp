// RCPT: whom an address means, and whether there is room for the message. RFC 5321 §4.1.1.3, RFC 2033 §4.2.
#include <algorithm>
#include <utility>

#include "server/lmtp/commands.h"
#include "server/lmtp/delivery.h"
#include "server/metrics/metrics.h"

namespace postkeep::server {
namespace {

// What the directory is asked for. An '@' inside a quoted local part would look like a domain.
std::optional<std::string> lookup_address(const lmtp::Path& path) {
  if (path.local_part.find('@') != std::string::npos) return std::nullopt;
  return path.domain.empty() ? path.local_part : path.local_part + '@' + path.domain;
}

// Whether one of them at least can take the message: what is told at once need not be sent and come back. It is only
// advice, since the room is taken when the message is there; and one full mailbox is no reason to keep an alias from
// the others. What fails for other reasons shows then, too.
asio::awaitable<Outcome> look_for_room_of_any(Gateway& gateway, const std::vector<auth::Recipient>& targets,
                                              std::uint64_t size) {
  Outcome found;
  for (const auth::Recipient& target : targets) {
    found = co_await look_for_room(gateway, target.user, std::max<std::uint64_t>(size, 1));
    if (found || found.error().kind != ErrorKind::quota_reached) co_return Outcome();
  }
  co_return found;
}

}  // namespace

void LmtpCommands::refuse_recipient(const lmtp::Path& to, const Error& error) {
  lmtp::Reply answer;
  if (error.kind == ErrorKind::not_found) {
    ++unknown_;
    context_.logger.info("unknown_recipient", {{"to", to.to_string()}});
    answer = lmtp::Reply(550, "5.1.1", "<" + to.to_string() + "> No such user here");
  } else if (error.kind == ErrorKind::quota_reached) {
    context_.logger.info("recipient_over_quota", {{"to", to.to_string()}});
    answer = reply_for(error, context_.settings->quota.on_delivery);
  } else {
    context_.logger.error("recipient_lookup_failed", {{"to", to.to_string()}, {"reason", error.detail}});
    answer = lmtp::Reply(451, "4.3.0", "Cannot look the user up, try again later");
  }
  count_delivery(answer);
  lmtp::write_reply(context_.connection.output(), answer);
}

asio::awaitable<void> LmtpCommands::rcpt(lmtp::Rcpt command) {
  if (!in_mail_) {
    refuse(503, "5.5.1", "Send MAIL first");
    co_return;
  }
  if (chunks_) {
    refuse(503, "5.5.1", "The message has begun");
    co_return;
  }
  const std::uint64_t limit = context_.settings->limits.recipients;
  if (limit != 0 && envelope_.recipients.size() >= limit) {
    reply(452, "4.5.3", "Too many recipients");
    co_return;
  }
  std::optional<std::string> address = lookup_address(command.to);
  Result<auth::RecipientSet> found = failure(ErrorKind::not_found, "No such user");
  if (address) found = co_await context_.services.auth.resolve_recipients(std::move(*address));
  if (!found) co_return refuse_recipient(command.to, found.error());
  if (!found->problem.empty()) {
    context_.logger.warn("alias_target_unknown", {{"to", command.to.to_string()}, {"reason", found->problem}});
  }
  const Outcome room = co_await look_for_room_of_any(context_.services.gateway, found->recipients, envelope_.size);
  if (!room) co_return refuse_recipient(command.to, room.error());
  EnvelopeRecipient recipient;
  recipient.address = std::move(command.to);
  recipient.targets = std::move(found->recipients);
  envelope_.recipients.push_back(std::move(recipient));
  reply(250, "2.1.5", "Recipient OK");
}

}  // namespace postkeep::server
