// APPEND, STORE and EXPUNGE of one mailbox. Called by MaildirAccount; what each makes durable is said in
// storage/account_store.h, and in which order in storage/README.md. The mailbox is loaded; its version too where
// messages are named by UID.
#pragma once

#include <optional>
#include <vector>

#include "protocol/base/result.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_state.h"
#include "storage/account/message_cache.h"
#include "storage/index/message_sql.h"
#include "storage/types.h"

namespace postkeep::storage {

Result<AppendResult> append_messages(AccountContext& context, MailboxState& box, const std::vector<AppendItem>& items);

struct StoreRequest {
  UidSet uids;
  FlagChange change = FlagChange::add;
  Flags flags;
  std::optional<ModSeq> unchanged_since;
};
Result<StoreResult> store_message_flags(AccountContext& context, MailboxState& box, const StoreRequest& request);

// `uid` is in `from`. The new message is durable before the other one goes. With an error nothing has changed, or the
// new message is there and the other one too.
Result<AppendResult> replace_message(AccountContext& context, MailboxState& from, Uid uid, MailboxState& to,
                                     const AppendItem& item);

Result<UidSet> expunge_messages(AccountContext& context, MailboxState& box, const UidSet& uids);

// Inside a transaction: takes messages out of the index, as expunged with `row.highest_modseq`.
enum class FilesAre { doomed, gone };  // to be unlinked by and by; not there any more
Outcome take_out(AccountContext& context, MailboxState& box, MailboxRow& row, const UidSet& uids, FilesAre files);

// A message that is about to appear in a mailbox.
struct NewMessage {
  Flags flags;
  MessageState state;
  FileRow file;
  std::optional<ComputedFacts> facts;
};
// Inside a transaction: its rows in the index but for what is computed from its content.
Outcome put_rows(AccountContext& context, MailboxState& box, MailboxRow& row, const NewMessage& message);
// All of it.
Outcome put_in(AccountContext& context, MailboxState& box, MailboxRow& row, const NewMessage& message);

}  // namespace postkeep::storage
