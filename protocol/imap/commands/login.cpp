#include "protocol/imap/commands/login.h"

namespace postkeep::imap {

Result<LoginArgs> parse_login(Cursor& cursor) {
  LoginArgs args;
  TRY(cursor.sp());
  args.user = TRY(cursor.astring());
  TRY(cursor.sp());
  args.password = TRY(cursor.password());
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
