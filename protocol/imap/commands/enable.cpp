#include "protocol/imap/commands/enable.h"

namespace postkeep::imap {

Result<EnableArgs> parse_enable(Cursor& cursor) {
  EnableArgs args;
  do {
    TRY(cursor.sp());
    args.capabilities.push_back(TRY(cursor.keyword()));
  } while (!cursor.end());
  return args;
}

}  // namespace postkeep::imap
