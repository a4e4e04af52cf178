// Reconciliation: a mailbox's files against the index. Takes in what other programs added, renamed, flagged and
// removed, what an unclean stop kept out of the index, and, into an empty index, everything (design, promises 3 and 7).
// Called by MaildirAccount; costs one listing of the folder and one reading of the mailbox's rows.
#pragma once

#include "protocol/base/result.h"
#include "storage/account/context.h"
#include "storage/account/folder_watches.h"
#include "storage/account/mailbox_state.h"

namespace postkeep::storage {

enum class Found {
  nothing_new,
  not_looked,  // the folder's times are the same, but too young to be believed, and it was listed lately
  changes,
};

// Lists the folder and brings index and version up to it.
Result<Found> reconcile(AccountContext& context, MailboxState& box);
// The same, unless the folder's times say that nothing happened since the last listing but our own changes.
Result<Found> refresh_mailbox(AccountContext& context, MailboxState& box);
// Whether what the folder's watch told is all known to the index: files that we named, renamed or removed ourselves.
Result<bool> all_ours(AccountContext& context, const MailboxState& box, const FolderWatches::Events& events);

}  // namespace postkeep::storage
