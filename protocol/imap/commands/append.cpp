#include "protocol/imap/commands/append.h"

#include "protocol/imap/command.h"

namespace postkeep::imap {
namespace {

// [SP flag-list] [SP date-time] SP (literal / "UTF8" SP "(" literal8), up to the literal; the space in front
// has been read.
Result<AppendMessage> parse_message(Cursor& cursor) {
  AppendMessage message;
  if (cursor.peek() == '(') {
    message.flags = TRY(cursor.flag_list());
    TRY(cursor.sp());
  }
  if (cursor.peek() == '"') {
    message.internal_date = TRY(cursor.date_time()).time;
    TRY(cursor.sp());
  }
  if (cursor.accept_word("UTF8")) {
    TRY(cursor.sp());
    TRY(cursor.expect('('));
    message.utf8 = Utf8Literal::yes;
  }
  if (!cursor.at_end()) return tl::unexpected<Error>(cursor.error("Expected a message literal"));
  return message;
}

}  // namespace

bool is_append(const FramedCommand& partial) {
  Cursor cursor(partial);
  const auto head = parse_command_head(cursor);
  return head && head->verb == "APPEND" && head->uid == UidForm::no;
}

Result<std::optional<AppendHead>> parse_append_head(Cursor& cursor) {
  TRY(parse_command_head(cursor));
  TRY(cursor.sp());
  if (cursor.at_end()) return std::optional<AppendHead>();  // what comes is the mailbox name
  AppendHead head;
  head.mailbox = TRY(cursor.mailbox());
  TRY(cursor.sp());
  head.first = TRY(parse_message(cursor));
  return std::optional<AppendHead>(std::move(head));
}

Result<std::optional<AppendMessage>> parse_append_next(Cursor& cursor, const AppendMessage& previous) {
  if (previous.utf8 == Utf8Literal::yes) TRY(cursor.expect(')'));
  if (cursor.at_end()) return std::optional<AppendMessage>();
  TRY(cursor.sp());
  return std::optional<AppendMessage>(TRY(parse_message(cursor)));
}

Outcome parse_append_end(Cursor& cursor, const AppendMessage& previous) {
  if (previous.utf8 == Utf8Literal::yes) TRY(cursor.expect(')'));
  return cursor.end();
}

}  // namespace postkeep::imap
