// ENABLE. RFC 9051 §6.3.1.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

struct EnableArgs {
  std::vector<std::string> capabilities;  // in capitals, at least one
};

Result<EnableArgs> parse_enable(Cursor& cursor);

}  // namespace postkeep::imap
