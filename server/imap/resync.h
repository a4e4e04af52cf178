// How much of the past a QRESYNC client has shown to know. RFC 7162 §3.2.5.2. Pure. Used by commands/select.cpp.
#pragma once

#include "protocol/imap/commands/select.h"
#include "storage/mailbox_version.h"

namespace postkeep::imap {

// The UID of the last message whose number and UID, as the client has them, are still right: it knows of all expunges
// up to there. 0 if none is, or it sent no such pairs. Cost: logarithmic in the pairs, times ranges.
Uid last_match(const QresyncParameter& known, const storage::MailboxVersion& messages);

}  // namespace postkeep::imap
