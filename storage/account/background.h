// Work that may wait: flags into file names, unlinking of what was expunged, caches of messages that nobody asked for
// yet. Each call is one short slice; MaildirAccount::background_step() decides which and when.
#pragma once

#include <cstdint>

#include "protocol/base/result.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_list.h"

namespace postkeep::storage {

enum class Slice { nothing_left, more };

// Renames files to the flags that the index has for them. The directory is synced before the index forgets that it was
// pending, so that the index never believes a name that a power cut takes back.
Result<Slice> write_flags_slice(AccountContext& context, MailboxList& mailboxes);
Result<Slice> unlink_slice(AccountContext& context, MailboxList& mailboxes);
Result<Slice> cache_slice(AccountContext& context, MailboxList& mailboxes);
// Rows of deleted mailboxes.
Result<Slice> dropped_rows_slice(AccountContext& context);

}  // namespace postkeep::storage
