// Tells a session what it asked for with NOTIFY: between commands and in IDLE. RFC 5465 §3.1, §4, §5. Where nothing
// was asked for, nothing here runs. All on the session's thread; one writer at a time.
#pragma once

#include "server/imap/context.h"

namespace postkeep::imap {

// Makes `notify` ready for its registration: subscribed, the folders watched, and the picture taken after that, so that
// nothing falls between. The selected mailbox is left out. Errors: limit when more mailboxes are to be watched than
// [imap] notify_mailboxes; those of storage.
server::Awaitable<Outcome> begin_notices(Context& context, Notify& notify);

// The STATUS response of a notice; with HIGHESTMODSEQ where `modseq` is set.
void write_state_notice(Context& context, const StateNotice& notice, bool modseq);

// Writes and flushes notices until context.notify->watch is stopped. `rule`: may EXPUNGE be told?
server::Awaitable<void> push_notices(Context& context, ExpungeRule rule);

// Context::read_more() for a session with a watch: notices are told while the client says nothing.
server::Awaitable<void> read_beside_notices(Context& context);

// The client's own doing, which it is not told of (RFC 5465 §5). Without NOTIFY they do nothing.
void note_own_created(Context& context, const storage::Mailbox& mailbox);
void note_own_deleted(Context& context, const MailboxName& name);
void note_own_renamed(Context& context, const MailboxName& from, const MailboxName& to);
void note_own_subscription(Context& context, const MailboxName& name, bool subscribed);
void note_own_added(Context& context, MailboxId mailbox, const UidSet& uids);
void note_own_seen(Context& context, const UidSet& uids);  // in the selected mailbox, by reading
void note_own_change(Context& context);                    // messages of the selected mailbox came or went
// The selected mailbox is about to be left: what was told of it is what later notices start from.
void note_left(Context& context);

}  // namespace postkeep::imap
