// ID. RFC 2971 §3.1.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

struct IdArgs {
  // In the client's order; empty for NIL. At most limits::id_pairs_max.
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;
};

Result<IdArgs> parse_id(Cursor& cursor);

}  // namespace postkeep::imap
