#include "protocol/imap/commands/quota.h"

namespace postkeep::imap {

Result<GetQuotaArgs> parse_get_quota(Cursor& cursor) {
  GetQuotaArgs args;
  TRY(cursor.sp());
  args.root = TRY(cursor.astring());
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
