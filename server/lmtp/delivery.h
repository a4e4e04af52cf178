// One message on its way from DATA to mailboxes: into one spool file as it comes, memory bounded; then synced, and
// linked into each recipient's INBOX. Used by lmtp/commands. What is answered with 250 is durable.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "protocol/line/dot_stuffing.h"
#include "protocol/lmtp/path.h"
#include "protocol/lmtp/reply.h"
#include "server/runtime/services.h"

namespace postkeep::server {

struct EnvelopeRecipient {
  lmtp::Path address;  // as RCPT had it
  auth::Recipient recipient;
};

// What MAIL and RCPT said.
struct Envelope {
  std::string client_name;  // of LHLO
  lmtp::Path from;
  bool smtputf8 = false;
  std::vector<EnvelopeRecipient> recipients;
};

class Delivery {
 public:
  static constexpr std::size_t buffer_octets = 256 * 1024;  // handed to the spool at a time

  Delivery(SessionContext& context, const Envelope& envelope);

  // Takes octets of DATA; returns how many it used, fewer only when the message is complete.
  asio::awaitable<std::size_t> feed(std::string_view bytes);
  bool complete() const { return unstuffer_.finished(); }
  // Delivers. One reply for each recipient, in order.
  asio::awaitable<std::vector<lmtp::Reply>> deliver();

 private:
  std::string trace_fields() const;
  asio::awaitable<void> spool(bool last);
  asio::awaitable<void> deliver_some();
  asio::awaitable<Result<storage::AppendResult>> deliver_to(const std::string& user);
  lmtp::Reply reply_to(std::size_t index) const;
  bool is_repeated(std::size_t index) const;
  void account_for(std::size_t first, const Outcome& outcome);

  SessionContext& context_;
  const Envelope& envelope_;
  line::DotUnstuffer unstuffer_;
  std::string buffer_;
  std::uint64_t received_ = 0;  // octets of the message, without what we add
  std::shared_ptr<storage::Incoming> incoming_;
  std::optional<Error> failed_;  // the message cannot be kept; the rest of it is read and dropped
  std::size_t next_ = 0;         // recipient for the next free worker
  std::vector<std::optional<Outcome>> outcomes_;
  std::set<std::string> gone_;  // users of RCPT who were deleted or renamed since
};

// The reply for a delivery that failed. RFC 3463.
// RCPT has found the user: what is missing now is missing here, and must not send mail back.
lmtp::Reply reply_for(const Error& error, OverQuota over_quota);

}  // namespace postkeep::server
