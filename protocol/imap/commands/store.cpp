#include "protocol/imap/commands/store.h"

namespace postkeep::imap {

Result<StoreArgs> parse_store(Cursor& cursor) {
  StoreArgs args;
  TRY(cursor.sp());
  args.set = TRY(cursor.sequence_set());
  TRY(cursor.sp());
  if (cursor.accept('(')) {
    if (!cursor.accept_word("UNCHANGEDSINCE")) return tl::unexpected<Error>(cursor.error("Unknown STORE modifier"));
    TRY(cursor.sp());
    args.unchanged_since = TRY(cursor.number64());
    TRY(cursor.expect(')'));
    TRY(cursor.sp());
  }
  if (cursor.accept('+')) {
    args.change = FlagChange::add;
  } else if (cursor.accept('-')) {
    args.change = FlagChange::remove;
  }
  if (cursor.accept_word("FLAGS.SILENT")) {
    args.silent = StoreArgs::Silent::yes;
  } else if (!cursor.accept_word("FLAGS")) {
    return tl::unexpected<Error>(cursor.error("Expected FLAGS"));
  }
  TRY(cursor.sp());
  args.flags = cursor.peek() == '(' ? TRY(cursor.flag_list()) : TRY(cursor.flags_bare());
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
