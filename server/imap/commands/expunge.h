// Removing messages marked \Deleted, for EXPUNGE, UID EXPUNGE and CLOSE. RFC 9051 §6.4.3, §6.4.9, §6.4.1.
#pragma once

#include <optional>

#include "server/imap/context.h"

namespace postkeep::imap {

// Removes those messages that have \Deleted now, of `among` if it is given, in batches, and returns what went. Reports
// nothing to the client.
server::Awaitable<Result<UidSet>> expunge_deleted(Context& context, MailboxId mailbox, std::optional<UidSet> among);

}  // namespace postkeep::imap
