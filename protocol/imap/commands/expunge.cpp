#include "protocol/imap/commands/expunge.h"

namespace postkeep::imap {

Result<UidExpungeArgs> parse_uid_expunge(Cursor& cursor) {
  UidExpungeArgs args;
  TRY(cursor.sp());
  args.set = TRY(cursor.sequence_set());
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
