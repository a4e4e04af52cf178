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

// seq-number, as UID or not (RFC 8508 §5).
Result<SequenceSet> parse_replaced(Cursor& cursor) {
  SequenceSet::Range range;
  if (cursor.peek() == '*') {
    TRY(cursor.expect('*'));
  } else {
    range.first = TRY(cursor.nz_number());
  }
  range.last = range.first;
  SequenceSet set;
  set.ranges.push_back(range);
  return set;
}

}  // namespace

bool is_append(const FramedCommand& partial) {
  Cursor cursor(partial);
  const auto head = parse_command_head(cursor);
  return head && ((head->verb == "APPEND" && head->uid == UidForm::no) || head->verb == "REPLACE");
}

Result<std::optional<AppendHead>> parse_append_head(Cursor& cursor) {
  const CommandHead command = TRY(parse_command_head(cursor));
  TRY(cursor.sp());
  AppendHead head;
  if (command.verb == "REPLACE") {
    head.replaced = TRY(parse_replaced(cursor));
    TRY(cursor.sp());
  }
  if (cursor.at_end()) return std::optional<AppendHead>();  // what comes is the mailbox name
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
