// One message from the spool to the mailboxes of its recipients. Used by lmtp/commands. What is answered with 250 is
// durable.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "protocol/lmtp/reply.h"
#include "server/lmtp/envelope.h"
#include "server/lmtp/filing.h"
#include "server/lmtp/intake.h"
#include "server/runtime/services.h"

namespace postkeep::server {

class LmtpDelivery {
 public:
  // `intake` is finished. All references outlive the object.
  LmtpDelivery(SessionContext& context, const Envelope& envelope, const LmtpIntake& intake);

  // Delivers. One reply for each recipient, in order. A recipient that is an alias of several is answered with 250 when
  // all of them have the message; else with the failure, and when the MTA tries again, only those get it who have not.
  asio::awaitable<std::vector<lmtp::Reply>> deliver();

 private:
  // A user among those whom the recipients mean. Named twice (alice and alice+lists), he gets it once in each mailbox.
  struct Addressee {
    std::string user;
    std::vector<std::optional<MailboxName>> mailboxes;
    Outcome outcome;    // after deliver_to()
    bool gone = false;  // deleted or renamed since RCPT
  };

  void collect_addressees();
  std::size_t addressee_of(const auth::Recipient& target);
  asio::awaitable<void> deliver_some();
  asio::awaitable<Result<Filed>> deliver_to(Addressee& addressee);
  void log(const Addressee& addressee, const Result<Filed>& filed);
  lmtp::Reply reply_to(std::size_t index);
  lmtp::Reply reply_of(const Addressee& addressee) const;
  DeliveredBefore::Key retry_key(const EnvelopeRecipient& recipient, const std::string& user) const;
  bool has_it_already(const EnvelopeRecipient& recipient, const std::string& user) const;

  SessionContext& context_;
  const Envelope& envelope_;
  const LmtpIntake& intake_;
  const std::optional<std::string> message_id_;
  std::vector<Addressee> addressees_;
  std::vector<std::vector<std::size_t>> addressees_of_;  // of each recipient
  std::size_t next_ = 0;                                 // addressee for the next free worker
};

// The reply for a delivery that failed. RFC 3463.
// RCPT has found the user: what is missing now is missing here, and must not send mail back.
lmtp::Reply reply_for(const Error& error, OverQuota over_quota);
// For the figures: as the MTA sees it, whether it will try again.
void count_delivery(const lmtp::Reply& reply);

}  // namespace postkeep::server
