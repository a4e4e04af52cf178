// FETCH of new messages that a client asked for in advance (NOTIFY). RFC 5465 §5.2.
#pragma once

#include <vector>

#include "protocol/imap/commands/fetch.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// Writes FETCH responses for the messages, which are in the view. What cannot be read is left out and logged.
server::Awaitable<void> fetch_new_messages(Context& context, std::vector<FetchItem> items, UidSet uids);

}  // namespace postkeep::imap
