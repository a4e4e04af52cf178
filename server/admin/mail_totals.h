// How much mail there is: what a dry run tells before something is destroyed. Blocking, on the far side.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "storage/account_store.h"

namespace postkeep::admin {

struct MailTotals {
  std::uint64_t mailboxes = 0;
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;

  // One mailbox more.
  void add(const storage::MailboxStatus& status);
  nlohmann::json to_json() const;  // {"mailboxes", "messages", "octets"}
};

// All mailboxes of an account; costs nothing in proportion to the messages.
Result<MailTotals> mail_totals(storage::AccountStore& account);

// "3 messages, 12.3 KiB", with "2 mailboxes, " in front if the JSON has their number.
std::string shown_totals(const nlohmann::json& totals);

}  // namespace postkeep::admin
