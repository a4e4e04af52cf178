// Listings: what FETCH wants of a batch of messages, from `file` and `cache` in one pass. Called by
// storage/account/fetch_and_search. `key` is MailboxRow::key.
#pragma once

#include <cstdint>
#include <functional>

#include "protocol/base/result.h"
#include "protocol/mail/uid_set.h"
#include "storage/index/database.h"
#include "storage/types.h"

namespace postkeep::storage {

// The wanted parts of those of `uids` that have a file, ascending. The visitor's row is one object whose strings are
// written over; it may take what it likes out of it, and must not use the database. False from it: it wants no more.
// Stops where the index does not have what is wanted (nothing of the message was computed yet); returned is what was
// not visited, nothing if no more was wanted.
Result<UidSet> visit_listed(Database& database, std::int64_t key, const UidSet& uids, const FetchWants& wants,
                            const std::function<bool(MessageRow&)>& visit);

}  // namespace postkeep::storage
