#include "server/admin/mail_batches.h"

namespace postkeep::admin {

Result<MessageCount> count_messages(storage::AccountStore& account, MailboxId mailbox, const UidSet& uids) {
  storage::FetchWants wants;
  wants.size = true;
  MessageCount count;
  for (const storage::MessageRow& row : TRY(account.fetch(mailbox, uids, wants))) {
    ++count.messages;
    count.octets += row.size;
  }
  return count;
}

// EXPUNGE takes what has \Deleted; since nobody else is in the account between the two calls, exactly these have it.
Result<MessageCount> remove_messages(storage::AccountStore& account, MailboxId mailbox, const UidSet& uids) {
  MessageCount count = TRY(count_messages(account, mailbox, uids));
  Flags deleted;
  deleted.set(SystemFlag::deleted);
  TRY(account.store_flags(mailbox, uids, FlagChange::add, deleted));
  count.messages = TRY(account.expunge(mailbox, uids)).size();
  return count;
}

Outcome for_each_batch(UidSet uids, const std::function<Outcome(const UidSet& batch)>& work) {
  while (!uids.empty()) {
    const UidSet batch = first_of(uids, messages_per_batch);
    uids = uids.subtract(batch);
    TRY(work(batch));
  }
  return {};
}

}  // namespace postkeep::admin
