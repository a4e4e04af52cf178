// STATUS data of one mailbox, for STATUS and LIST ... RETURN (STATUS (...)). RFC 9051 §6.3.11.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/imap/commands/status.h"
#include "server/imap/context.h"

namespace postkeep::imap {

struct FullStatus {
  storage::MailboxStatus status;
  std::uint64_t deleted_octets = 0;  // only where DELETED-STORAGE was asked for
};

// HIGHESTMODSEQ among them enables CONDSTORE (RFC 7162 §3.1).
void accept_status_items(Context& context, const std::vector<StatusItem>& items);

// What `items` need to know. Errors: not_found.
server::Awaitable<Result<FullStatus>> load_status(Context& context, MailboxId mailbox, std::vector<StatusItem> items);

void write_mailbox_status(Context& context, const storage::Mailbox& mailbox, const FullStatus& status,
                          const std::vector<StatusItem>& items);

}  // namespace postkeep::imap
