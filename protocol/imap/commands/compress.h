// COMPRESS. RFC 4978 §3.
#pragma once

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

// DEFLATE is the only mechanism there is.
struct CompressArgs {};

// Errors: bad_syntax, also for another mechanism.
Result<CompressArgs> parse_compress(Cursor& cursor);

}  // namespace postkeep::imap
