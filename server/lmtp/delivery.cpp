#include "server/lmtp/delivery.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "protocol/mail/date_time.h"
#include "server/metrics/metrics.h"
#include "server/runtime/task_group.h"

namespace postkeep::server {
namespace {

// The limit is checked here, where what we add to the message does not count.
constexpr std::uint64_t spool_octets_max = std::numeric_limits<std::uint64_t>::max();
// Of one message: as many as the storage pool has threads. Each waits for the disk most of its time, and those that
// wait together share what it does.
constexpr std::size_t deliveries_at_once = 32;

// Named functions make the jobs, away from any co_await (style.md C0).
Awaitable<Result<storage::AppendResult>> append_to_inbox(Gateway& gateway, AccountPtr account,
                                                         std::shared_ptr<storage::Incoming> message) {
  return gateway.run(std::move(account),
                     [message = std::move(message)](storage::AccountStore& store) -> Result<storage::AppendResult> {
                       const storage::Mailbox inbox = TRY(store.find_mailbox(MailboxName::inbox()));
                       std::vector<storage::AppendItem> items(1);
                       items.front().message = message;
                       auto appended = store.append(inbox.id, items);
                       if (appended) metrics().messages_appended.add();
                       return appended;
                     });
}

// As the MTA sees it: whether it will try again.
void count_reply(const lmtp::Reply& reply) {
  metrics().deliveries.at(reply.code < 400 ? "ok" : reply.code < 500 ? "tempfail" : "refused").add();
}

enum class Last { no, yes };

Awaitable<Outcome> write_to_spool(Gateway& gateway, std::shared_ptr<storage::Incoming> incoming, std::string bytes,
                                  Last last) {
  return gateway.run_beside([incoming = std::move(incoming), bytes = std::move(bytes), last]() -> Outcome {
    TRY(incoming->write(bytes));
    return last == Last::yes ? incoming->finish() : Outcome();
  });
}

// What a peer called itself, fit for a header field: no controls, no comment or folding of its own.
std::string header_word(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 255)) {
    const auto octet = static_cast<unsigned char>(c);
    out += octet <= ' ' || octet == 0x7f || c == '(' || c == ')' || c == ';' || c == '\\' ? '?' : c;
  }
  return out.empty() ? "unknown" : out;
}

}  // namespace

Delivery::Delivery(SessionContext& context, const Envelope& envelope)
    : context_(context), envelope_(envelope), outcomes_(envelope.recipients.size()) {
  buffer_ = trace_fields();
}

// RFC 5321 §4.4; the protocol names are RFC 3848's and RFC 6531 §4.3's.
std::string Delivery::trace_fields() const {
  const Connection& connection = context_.connection;
  std::string fields = "Return-Path: <" + envelope_.from.to_string() + ">\r\n";
  const bool alone = envelope_.recipients.size() == 1;
  if (alone) fields += "Delivered-To: " + envelope_.recipients.front().recipient.user + "\r\n";
  std::string with = envelope_.smtputf8 ? "UTF8LMTP" : "LMTP";
  if (connection.is_tls()) with += 'S';
  const std::string& address = connection.peer().address;
  fields += "Received: from " + header_word(envelope_.client_name);
  if (address != "unix") {
    fields += address.find(':') != std::string::npos ? " ([IPv6:" : " ([";
    fields += address + "])";
  }
  fields += "\r\n\tby " + context_.settings->hostname + " (Postkeep) with " + with + " id " + context_.logger.session();
  if (alone) fields += "\r\n\tfor <" + envelope_.recipients.front().address.to_string() + ">";
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const UnixTime time{now.time_since_epoch().count()};
  fields += ";\r\n\t" + format_rfc5322_date(time) + "\r\n";
  return fields;
}

asio::awaitable<std::size_t> Delivery::feed(std::string_view bytes) {
  const std::size_t before = buffer_.size();
  const std::size_t used = unstuffer_.feed(bytes, buffer_);
  received_ += buffer_.size() - before;
  const std::uint64_t limit = context_.settings->limits.message_size;
  if (!failed_ && limit != 0 && received_ > limit) {
    failed_ = Error(ErrorKind::too_big, "Message is larger than " + std::to_string(limit) + " octets");
    incoming_.reset();
  }
  if (failed_) {
    buffer_.clear();
  } else if (buffer_.size() >= buffer_octets) {
    co_await spool(false);
  }
  co_return used;
}

asio::awaitable<void> Delivery::spool(bool last) {
  Gateway& gateway = context_.services.gateway;
  std::string bytes = std::exchange(buffer_, std::string());
  if (!incoming_ && last) {
    Gateway::WholeMessage whole;
    whole.bytes = std::move(bytes);
    auto taken = co_await gateway.take_incoming(spool_octets_max, std::move(whole));
    if (taken) incoming_ = std::move(*taken);
    if (!taken) failed_ = std::move(taken).error();
    co_return;
  }
  if (!incoming_) {
    auto begun = co_await gateway.begin_incoming(spool_octets_max);
    if (!begun) {
      failed_ = std::move(begun).error();
      co_return;
    }
    incoming_ = std::move(*begun);
  }
  const Outcome written = co_await write_to_spool(gateway, incoming_, std::move(bytes), last ? Last::yes : Last::no);
  if (!written) {
    failed_ = written.error();
    incoming_.reset();
  }
}

asio::awaitable<std::vector<lmtp::Reply>> Delivery::deliver() {
  if (!failed_) co_await spool(true);
  if (failed_) {
    context_.logger.warn("delivery_failed", {{"kind", to_string(failed_->kind)}, {"reason", failed_->detail}});
    std::vector<lmtp::Reply> all_failed(envelope_.recipients.size(),
                                        reply_for(*failed_, context_.settings->quota.on_delivery));
    for (const lmtp::Reply& reply : all_failed) count_reply(reply);
    co_return all_failed;
  }
  TaskGroup workers(context_.executor());
  const std::size_t count = std::min(deliveries_at_once, envelope_.recipients.size());
  for (std::size_t i = 0; i < count; ++i) workers.spawn(deliver_some());
  co_await workers.join();
  std::vector<lmtp::Reply> replies;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    replies.push_back(reply_to(i));
    count_reply(replies.back());
  }
  co_return replies;
}

lmtp::Reply Delivery::reply_to(std::size_t index) const {
  const Outcome& outcome = *outcomes_[index];
  if (outcome) return lmtp::Reply(250, "2.0.0", "Delivered");
  if (gone_.contains(envelope_.recipients[index].recipient.user)) {
    return lmtp::Reply(550, "5.1.1", "No such user here");
  }
  return reply_for(outcome.error(), context_.settings->quota.on_delivery);
}

// The user may have been deleted or renamed since RCPT; mail must not be made again under a name that nobody has.
asio::awaitable<Result<storage::AppendResult>> Delivery::deliver_to(const std::string& user) {
  const auto now = co_await context_.services.auth.resolve_recipient(user);
  const bool gone = now ? now->user != user : now.error().kind == ErrorKind::not_found;
  if (gone) {
    gone_.insert(user);
    co_return failure(ErrorKind::not_found, "No such user");
  }
  if (!now) co_return tl::unexpected<Error>(now.error());
  Gateway& gateway = context_.services.gateway;
  AccountPtr account = gateway.account(user);
  auto appended = co_await append_to_inbox(gateway, std::move(account), incoming_);
  co_return appended;
}

asio::awaitable<void> Delivery::deliver_some() {
  while (next_ < envelope_.recipients.size()) {
    const std::size_t index = next_++;
    if (is_repeated(index)) continue;
    const std::string& user = envelope_.recipients[index].recipient.user;
    const auto appended = co_await deliver_to(user);
    if (appended) {
      metrics().delivered_octets.add(received_);
      context_.logger.info("delivered", {{"user", user}, {"uid", appended->uids.min().value()}, {"size", received_}});
    } else {
      context_.logger.error(
          "delivery_failed",
          {{"user", user}, {"kind", to_string(appended.error().kind)}, {"reason", appended.error().detail}});
    }
    account_for(index, appended ? Outcome() : Outcome(tl::unexpect, appended.error()));
  }
}

// Nobody gets a message twice for being named twice (alice and alice+lists): the answer goes to both.
bool Delivery::is_repeated(std::size_t index) const {
  const auto same_user = [&](std::size_t i) {
    return envelope_.recipients[i].recipient.user == envelope_.recipients[index].recipient.user;
  };
  for (std::size_t i = 0; i < index; ++i) {
    if (same_user(i)) return true;
  }
  return false;
}

void Delivery::account_for(std::size_t first, const Outcome& outcome) {
  const std::string& user = envelope_.recipients[first].recipient.user;
  for (std::size_t i = first; i < envelope_.recipients.size(); ++i) {
    if (envelope_.recipients[i].recipient.user == user) outcomes_[i] = outcome;
  }
}

lmtp::Reply reply_for(const Error& error, OverQuota over_quota) {
  switch (error.kind) {
    case ErrorKind::too_big:
      return lmtp::Reply(552, "5.3.4", error.text);
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

}  // namespace postkeep::server
