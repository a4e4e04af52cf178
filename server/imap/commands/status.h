// STATUS data of one mailbox, for STATUS and LIST ... RETURN (STATUS (...)). RFC 9051 §6.3.11.
#pragma once

#include <vector>

#include "protocol/imap/commands/status.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// HIGHESTMODSEQ among them enables CONDSTORE (RFC 7162 §3.1). Errors: bad_syntax for an item that this server does not
// offer.
Outcome accept_status_items(Context& context, const std::vector<StatusItem>& items);

void write_mailbox_status(Context& context, const storage::Mailbox& mailbox, const storage::MailboxStatus& status,
                          const std::vector<StatusItem>& items);

}  // namespace postkeep::imap
