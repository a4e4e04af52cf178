// Untagged EXPUNGE, EXISTS, RECENT and FETCH FLAGS from what changed, under the running command's expunge rule.
// RFC 9051 §5.2, §5.3, §7.5. Called by dispatch before each tagged reply, by IDLE's pusher, and by STORE.
#pragma once

#include "server/imap/context.h"

namespace postkeep::imap {

// Brings the client up to date with the selected mailbox, if anything changed since the last time; without a
// change it costs no storage call. `own`, which outlives the call, is what this session's STORE did.
// A mailbox that is gone ends the session's selection with BYE (context.next).
server::Awaitable<void> send_updates(Context& context, ExpungeRule rule, const OwnStore* own = nullptr);

// The same when it is known that something changed: the watch's mark has been taken. Whether anything was told.
server::Awaitable<bool> report_changes(Context& context, ExpungeRule rule, const OwnStore* own = nullptr);

// MODSEQs may have been told that are above those of changes that were not: then says what is safe to keep (RFC 7162
// §3.2).
void write_settled(Context& context);

}  // namespace postkeep::imap
