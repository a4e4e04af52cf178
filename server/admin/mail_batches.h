// Work on many messages of one account, in batches: between two of them the account is free for sessions and
// deliveries. Blocking, on the far side. Used by the commands about mail.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/admin/commands.h"

namespace postkeep::admin {

// Messages that one job looks at: a job should hold its account for about 5 ms.
inline constexpr std::uint64_t messages_per_batch = 500;

// A value out of Host::with_account().
template <class T>
Result<T> in_account(Host& host, const std::string& user,
                     const std::function<Result<T>(storage::AccountStore&)>& work) {
  std::optional<T> value;
  const auto keep = [&](storage::AccountStore& account) -> Result<nlohmann::json> {
    value = TRY(work(account));
    return nlohmann::json();
  };
  TRY(host.with_account(user, keep));
  return std::move(*value);
}

// Messages of a mailbox, and what they weigh.
struct MessageCount {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
};

// The part of `uids` that is there. For a batch.
Result<MessageCount> count_messages(storage::AccountStore& account, MailboxId mailbox, const UidSet& uids);

// Removes `uids`, a batch, whatever their flags, and no other message; durable. A stop in between may leave some of
// them with \Deleted.
Result<MessageCount> remove_messages(storage::AccountStore& account, MailboxId mailbox, const UidSet& uids);

// Calls `work` with one batch after another until none is left or it fails.
Outcome for_each_batch(UidSet uids, const std::function<Outcome(const UidSet& batch)>& work);

}  // namespace postkeep::admin
