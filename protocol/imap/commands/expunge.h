// UID EXPUNGE. RFC 9051 §6.4.9. (EXPUNGE itself has no arguments.)
#pragma once

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

struct UidExpungeArgs {
  SequenceSet set;  // UIDs
};

Result<UidExpungeArgs> parse_uid_expunge(Cursor& cursor);

}  // namespace postkeep::imap
