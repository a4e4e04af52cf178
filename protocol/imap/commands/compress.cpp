#include "protocol/imap/commands/compress.h"

namespace postkeep::imap {

Result<CompressArgs> parse_compress(Cursor& cursor) {
  TRY(cursor.sp());
  if (TRY(cursor.keyword()) != "DEFLATE") {
    return tl::unexpected<Error>(cursor.error("Unknown compression mechanism"));
  }
  TRY(cursor.end());
  return CompressArgs{};
}

}  // namespace postkeep::imap
