// Into which mailboxes of one user a message goes, and putting it there: one job on the user's account. Used by
// lmtp/delivery.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/mail/mailbox_name.h"
#include "server/config/settings.h"
#include "server/lmtp/delivered_before.h"
#include "server/runtime/gateway.h"

namespace postkeep::server {

// The mailbox that the detail of an address names; none: INBOX, also where the detail can be no name. Separators in it
// make levels, not more than detail_levels_max.
inline constexpr std::size_t detail_levels_max = 5;
std::optional<MailboxName> mailbox_of_detail(const std::string& detail, const Settings& settings);

// Where the message may have been before.
struct RememberedDeliveries {
  DeliveredBefore* before = nullptr;  // null: nothing is remembered
  std::string message_id;
  std::chrono::seconds window{0};
};

// What is to be done for a user. A mailbox that is not there is made, if `make` says so, and subscribed; or else, and
// where that fails, INBOX has the message.
struct FilingRequest {
  std::shared_ptr<storage::Incoming> message;  // finished
  std::string user;
  std::vector<std::optional<MailboxName>> mailboxes;  // none: INBOX
  bool make = false;
  RememberedDeliveries remembered;
};

// Where it is now.
struct FiledPlace {
  MailboxName mailbox;
  Uid uid;
};
struct Filed {
  std::vector<FiledPlace> places;  // each mailbox once; empty: the message was there before
};

// Durable when it returns. The room of the quota is looked at and taken in this one job, which has the account for
// itself, so two deliveries cannot both get the last of it. Errors: those of AccountStore::append().
Awaitable<Result<Filed>> file_message(Gateway& gateway, FilingRequest request);

// Whether a message of so many octets would find room. A job, if the account is not known to be without limits. Errors:
// quota_reached; unavailable, corruption.
Awaitable<Outcome> look_for_room(Gateway& gateway, std::string user, std::uint64_t octets);

}  // namespace postkeep::server
