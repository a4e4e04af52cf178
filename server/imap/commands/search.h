// What SEARCH shares with SORT and THREAD: the search itself.
#pragma once

#include "protocol/mail/search_key.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// The UIDs in the view that match, in batches. Errors: those of AccountStore::search; unavailable at a shutdown.
server::Awaitable<Result<UidSet>> find_messages(Context& context, SearchKey key);

}  // namespace postkeep::imap
