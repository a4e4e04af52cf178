// What a POP3 session asks of storage: opening the maildrop, reading one message, and what QUIT leaves behind. RFC 1939
// §4, §6. Everything goes in batches, so that no job holds the account for long.
#pragma once

#include <memory>

#include "server/pop3/maildrop.h"
#include "server/runtime/gateway.h"

namespace postkeep::pop3 {

// INBOX as it is now, what other programs did included. Reads the index; no message file, unless the index does not
// know its size yet. Errors: unavailable, corruption.
server::Awaitable<Result<std::unique_ptr<Maildrop>>> open_maildrop(server::Gateway& gateway, server::AccountPtr account,
                                                                   UidlFormat uidl_format);

// Deletes exactly these messages, whatever else is marked \Deleted; durable when it returns. Those that are gone
// already are no error. On an error some may be deleted.
server::Awaitable<Outcome> delete_messages(server::Gateway& gateway, server::AccountPtr account, MailboxId mailbox,
                                           UidSet uids);

// Adds the flags to those that are still there.
server::Awaitable<Outcome> add_flags(server::Gateway& gateway, server::AccountPtr account, MailboxId mailbox,
                                     UidSet uids, Flags flags);

}  // namespace postkeep::pop3
