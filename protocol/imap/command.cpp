#include "protocol/imap/command.h"

#include "protocol/base/ascii.h"
#include "protocol/imap/limits.h"

namespace postkeep::imap {

Result<CommandHead> parse_command_head(Cursor& cursor) {
  CommandHead head;
  if (cursor.at_end()) return tl::unexpected<Error>(cursor.error("Empty command line"));
  head.tag = TRY(cursor.tag());
  if (cursor.at_end()) return tl::unexpected<Error>(cursor.error("Missing command"));
  TRY(cursor.sp());
  head.verb = TRY(cursor.keyword());
  if (head.verb == "UID") {
    TRY(cursor.sp());
    head.verb = TRY(cursor.keyword());
    head.uid = UidForm::yes;
  }
  return head;
}

std::optional<std::string> tag_of(const FramedCommand& command) {
  Cursor cursor(command);
  auto tag = cursor.tag();
  const bool whole = tag && (cursor.peek() == ' ' || cursor.at_end());
  if (!whole) return std::nullopt;
  return *std::move(tag);
}

Outcome parse_nothing(Cursor& cursor) { return cursor.end(); }

}  // namespace postkeep::imap
