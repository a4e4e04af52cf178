#include "protocol/imap/commands/mailbox.h"

namespace postkeep::imap {
namespace {

// "USE" SP "(" [use-attr *(SP use-attr)] ")", behind "USE" (RFC 6154 §6).
Result<std::vector<SpecialUse>> parse_uses(Cursor& cursor) {
  std::vector<SpecialUse> uses;
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  while (!cursor.accept(')')) {
    TRY(cursor.expect('\\'));
    const std::string name = '\\' + TRY(cursor.atom());
    const auto use = special_use_from_wire(name);
    if (!use) return failure(ErrorKind::use_attribute, "Special use " + name + " is not supported");
    uses.push_back(*use);
    if (cursor.peek() != ')') TRY(cursor.sp());
  }
  return uses;
}

}  // namespace

Result<CreateArgs> parse_create(Cursor& cursor) {
  CreateArgs args;
  TRY(cursor.sp());
  args.mailbox = TRY(cursor.mailbox());
  if (!cursor.end()) {
    // create-param (RFC 4466 §2.2); USE is the only one there is.
    TRY(cursor.sp());
    TRY(cursor.expect('('));
    if (!cursor.accept_word("USE")) return tl::unexpected<Error>(cursor.error("Unknown CREATE parameter"));
    args.uses = TRY(parse_uses(cursor));
    TRY(cursor.expect(')'));
    TRY(cursor.end());
  }
  return args;
}

Result<MailboxArgs> parse_mailbox_only(Cursor& cursor) {
  MailboxArgs args;
  TRY(cursor.sp());
  args.mailbox = TRY(cursor.mailbox());
  TRY(cursor.end());
  return args;
}

Result<RenameArgs> parse_rename(Cursor& cursor) {
  RenameArgs args;
  TRY(cursor.sp());
  args.from = TRY(cursor.mailbox());
  TRY(cursor.sp());
  args.to = TRY(cursor.mailbox());
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
