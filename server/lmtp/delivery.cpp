#include "server/lmtp/delivery.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/task_group.h"

namespace postkeep::server {
namespace {

// Of one message: as many as the storage pool has threads. Each waits for the disk most of its time, and those that
// wait together share what it does.
constexpr std::size_t deliveries_at_once = 32;
// For so long MTAs keep mail that they could not deliver (Postfix's maximal_queue_lifetime), and try again.
constexpr std::chrono::hours retries_come_for{5 * 24};

}  // namespace

LmtpDelivery::LmtpDelivery(SessionContext& context, const Envelope& envelope, const LmtpIntake& intake)
    : context_(context), envelope_(envelope), intake_(intake), message_id_(message_id_of(intake.beginning())) {}

asio::awaitable<std::vector<lmtp::Reply>> LmtpDelivery::deliver() {
  if (const std::optional<Error>& failed = intake_.failed()) {
    context_.logger.warn("delivery_failed", {{"kind", to_string(failed->kind)}, {"reason", failed->detail}});
    std::vector<lmtp::Reply> all_failed(envelope_.recipients.size(),
                                        reply_for(*failed, context_.settings->quota.on_delivery));
    for (const lmtp::Reply& reply : all_failed) count_delivery(reply);
    co_return all_failed;
  }
  collect_addressees();
  TaskGroup workers(context_.executor());
  const std::size_t count = std::min(deliveries_at_once, addressees_.size());
  for (std::size_t i = 0; i < count; ++i) workers.spawn(deliver_some());
  co_await workers.join();
  std::vector<lmtp::Reply> replies;
  for (std::size_t i = 0; i < envelope_.recipients.size(); ++i) {
    replies.push_back(reply_to(i));
    count_delivery(replies.back());
  }
  co_return replies;
}

void LmtpDelivery::collect_addressees() {
  for (const EnvelopeRecipient& recipient : envelope_.recipients) {
    std::vector<std::size_t>& mine = addressees_of_.emplace_back();
    for (const auth::Recipient& target : recipient.targets) {
      if (!has_it_already(recipient, target.user)) mine.push_back(addressee_of(target));
    }
  }
}

std::size_t LmtpDelivery::addressee_of(const auth::Recipient& target) {
  auto found = std::ranges::find(addressees_, target.user, &Addressee::user);
  if (found == addressees_.end()) {
    Addressee fresh;
    fresh.user = target.user;
    addressees_.push_back(std::move(fresh));
    found = addressees_.end() - 1;
  }
  auto mailbox = mailbox_of_detail(target.detail, *context_.settings);
  if (std::ranges::find(found->mailboxes, mailbox) == found->mailboxes.end()) {
    found->mailboxes.push_back(std::move(mailbox));
  }
  return static_cast<std::size_t>(found - addressees_.begin());
}

// The user may have been deleted or renamed since RCPT; mail must not be made again under a name that nobody has.
asio::awaitable<Result<Filed>> LmtpDelivery::deliver_to(Addressee& addressee) {
  const auto now = co_await context_.services.auth.resolve_recipient(addressee.user);
  addressee.gone = now ? now->user != addressee.user : now.error().kind == ErrorKind::not_found;
  if (addressee.gone) co_return failure(ErrorKind::not_found, "No such user");
  if (!now) co_return tl::unexpected<Error>(now.error());
  const Settings& settings = *context_.settings;
  FilingRequest request;
  request.message = intake_.message();
  request.user = addressee.user;
  request.mailboxes = addressee.mailboxes;
  request.make = settings.recipients.detail_folder == DetailFolder::make;
  if (message_id_ && settings.lmtp.duplicate_window.count() > 0) {
    request.remembered.before = context_.services.delivered;
    request.remembered.message_id = *message_id_;
    request.remembered.window = settings.lmtp.duplicate_window;
  }
  auto filed = co_await file_message(context_.services.gateway, std::move(request));
  co_return filed;
}

asio::awaitable<void> LmtpDelivery::deliver_some() {
  while (next_ < addressees_.size()) {
    Addressee& addressee = addressees_[next_++];
    const Result<Filed> filed = co_await deliver_to(addressee);
    log(addressee, filed);
    addressee.outcome = filed ? Outcome() : Outcome(tl::unexpect, filed.error());
  }
}

void LmtpDelivery::log(const Addressee& addressee, const Result<Filed>& filed) {
  const std::string& user = addressee.user;
  const std::uint64_t size = intake_.received();
  if (!filed) {
    const Error& error = filed.error();
    context_.logger.error("delivery_failed",
                          {{"user", user}, {"kind", to_string(error.kind)}, {"reason", error.detail}});
    return;
  }
  if (filed->places.empty()) context_.logger.info("delivered_before", {{"user", user}, {"message_id", *message_id_}});
  for (const FiledPlace& place : filed->places) {
    metrics().delivered_octets.add(size);
    if (place.mailbox.is_inbox()) {
      context_.logger.info("delivered", {{"user", user}, {"uid", place.uid.value()}, {"size", size}});
    } else {
      context_.logger.info(
          "delivered", {{"user", user}, {"mailbox", place.mailbox.utf8()}, {"uid", place.uid.value()}, {"size", size}});
    }
  }
}

DeliveredBefore::Key LmtpDelivery::retry_key(const EnvelopeRecipient& recipient, const std::string& user) const {
  return DeliveredBefore::key_of(*message_id_ + ' ' + mark_of(intake_.beginning(), intake_.received()),
                                 user + " as " + recipient.address.to_string());
}

// Of those whom an alias stands for some may have it from a time when others could not get it.
bool LmtpDelivery::has_it_already(const EnvelopeRecipient& recipient, const std::string& user) const {
  const DeliveredBefore* before = context_.services.delivered;
  if (before == nullptr || !message_id_ || recipient.targets.size() < 2) return false;
  return before->knows(retry_key(recipient, user), DeliveredBefore::Clock::now());
}

lmtp::Reply LmtpDelivery::reply_to(std::size_t index) {
  std::optional<lmtp::Reply> failed;
  for (const std::size_t each : addressees_of_[index]) {
    if (addressees_[each].outcome) continue;
    lmtp::Reply reply = reply_of(addressees_[each]);
    if (!failed || reply.code < failed->code) failed = std::move(reply);  // 4xx before 5xx: try again
  }
  if (!failed) return lmtp::Reply(250, "2.0.0", "Delivered");
  DeliveredBefore* before = context_.services.delivered;
  const EnvelopeRecipient& recipient = envelope_.recipients[index];
  if (before != nullptr && message_id_ && recipient.targets.size() > 1) {
    const auto until = DeliveredBefore::Clock::now() + retries_come_for;
    for (const auth::Recipient& target : recipient.targets) {
      const auto addressee = std::ranges::find(addressees_, target.user, &Addressee::user);
      const bool has_it = addressee == addressees_.end() || addressee->outcome.has_value();
      if (has_it) before->add(retry_key(recipient, target.user), until);
    }
  }
  return std::move(*failed);
}

lmtp::Reply LmtpDelivery::reply_of(const Addressee& addressee) const {
  if (addressee.gone) return lmtp::Reply(550, "5.1.1", "No such user here");
  return reply_for(addressee.outcome.error(), context_.settings->quota.on_delivery);
}

lmtp::Reply reply_for(const Error& error, OverQuota over_quota) {
  switch (error.kind) {
    case ErrorKind::too_big:
      return lmtp::Reply(552, "5.3.4", error.text);
    case ErrorKind::bad_syntax:
      return lmtp::Reply(554, "5.6.0", error.text);
    case ErrorKind::over_quota:
      return lmtp::Reply(452, "4.3.1", "Insufficient storage");
    case ErrorKind::quota_reached:
      if (over_quota == OverQuota::reject) return lmtp::Reply(552, "5.2.2", "The mailbox is full");
      return lmtp::Reply(452, "4.2.2", "The mailbox is full");
    case ErrorKind::limit:
      return lmtp::Reply(452, "4.2.2", "A limit of the mailbox is reached");
    default:
      return lmtp::Reply(451, "4.3.0", "Temporary failure, try again later");
  }
}

void count_delivery(const lmtp::Reply& reply) {
  metrics().deliveries.at(reply.code < 400 ? "ok" : reply.code < 500 ? "tempfail" : "refused").add();
}

}  // namespace postkeep::server
