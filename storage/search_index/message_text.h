// The text of a message for the search index: decoded and folded exactly as SEARCH compares it without one
// (storage/search_eval). Called by storage/account/text_index.
#pragma once

#include "protocol/base/result.h"
#include "storage/search_index/search_index.h"
#include "storage/types.h"

namespace postkeep::storage {

// Reads it in pieces of 256 KiB, twice if it is longer. Errors: the reader's.
Result<IndexedText> read_text(MessageReader& reader);

}  // namespace postkeep::storage
