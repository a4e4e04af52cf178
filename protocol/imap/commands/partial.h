// PARTIAL: a window on a result, for SEARCH and UID FETCH. RFC 9394 §3.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

struct PartialRange {
  std::uint32_t first = 1;  // 1..last, counted from the lowest
  std::uint32_t last = 1;
  bool from_end = false;  // counted from the highest
  std::string text;       // as the client wrote it: the answer repeats it

  // The part of `all` that is in the window; empty where the window lies behind the end.
  UidSet of(const UidSet& all) const;
};

// "1:100" or "-1:-100", in either order.
Result<PartialRange> parse_partial_range(Cursor& cursor);

}  // namespace postkeep::imap
