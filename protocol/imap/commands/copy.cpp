#include "protocol/imap/commands/copy.h"

namespace postkeep::imap {

Result<CopyArgs> parse_copy(Cursor& cursor) {
  CopyArgs args;
  TRY(cursor.sp());
  args.set = TRY(cursor.sequence_set());
  TRY(cursor.sp());
  args.mailbox = TRY(cursor.mailbox());
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
