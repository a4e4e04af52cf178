// COPY and MOVE, and their UID forms. RFC 9051 §6.4.7, §6.4.8.
#pragma once

#include <string>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

struct CopyArgs {
  SequenceSet set;
  std::string mailbox;  // wire form
};

Result<CopyArgs> parse_copy(Cursor& cursor);

}  // namespace postkeep::imap
