#include "protocol/imap/commands/list.h"

#include "protocol/imap/limits.h"

namespace postkeep::imap {
namespace {

tl::unexpected<Error> unknown(const Cursor& cursor, const std::string& option) {
  return tl::unexpected<Error>(cursor.error("Unknown LIST option " + option));
}

// list-select-opts, behind "(".
Result<ListSelect> parse_select_options(Cursor& cursor) {
  ListSelect select;
  while (!cursor.accept(')')) {
    const std::string option = TRY(cursor.keyword());
    if (option == "SUBSCRIBED") {
      select.subscribed = true;
    } else if (option == "REMOTE") {
      select.remote = true;
    } else if (option == "RECURSIVEMATCH") {
      select.recursive_match = true;
    } else if (option == "SPECIAL-USE") {
      select.special_use = true;
    } else {
      return unknown(cursor, option);
    }
    if (cursor.peek() != ')') TRY(cursor.sp());
  }
  // RFC 5258 §3.1: a modifier needs something to modify; SPECIAL-USE is a base option too (RFC 6154 §5.2).
  if (select.recursive_match && !select.subscribed && !select.special_use) {
    return tl::unexpected<Error>(cursor.error("RECURSIVEMATCH needs another selection option"));
  }
  return select;
}

// list-return-opts, behind "RETURN".
Result<ListReturn> parse_return_options(Cursor& cursor) {
  ListReturn returns;
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  while (!cursor.accept(')')) {
    const std::string option = TRY(cursor.keyword());
    if (option == "SUBSCRIBED") {
      returns.subscribed = true;
    } else if (option == "CHILDREN") {
      returns.children = true;
    } else if (option == "SPECIAL-USE") {
      returns.special_use = true;
    } else if (option == "STATUS") {
      TRY(cursor.sp());
      returns.status = TRY(parse_status_items(cursor));
    } else {
      return unknown(cursor, option);
    }
    if (cursor.peek() != ')') TRY(cursor.sp());
  }
  return returns;
}

// mbox-or-pat (RFC 5258 §6).
Result<std::vector<std::string>> parse_patterns(Cursor& cursor, ListArgs::Form& form) {
  std::vector<std::string> patterns;
  if (!cursor.accept('(')) {
    patterns.push_back(TRY(cursor.list_mailbox()));
    return patterns;
  }
  form = ListArgs::Form::extended;
  do {
    if (patterns.size() == limits::list_patterns_max) return tl::unexpected<Error>(cursor.error("Too many patterns"));
    patterns.push_back(TRY(cursor.list_mailbox()));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return patterns;
}

}  // namespace

Result<ListArgs> parse_list(Cursor& cursor) {
  ListArgs args;
  TRY(cursor.sp());
  if (cursor.accept('(')) {
    args.form = ListArgs::Form::extended;
    args.select = TRY(parse_select_options(cursor));
    TRY(cursor.sp());
  }
  args.reference = TRY(cursor.mailbox());
  TRY(cursor.sp());
  args.patterns = TRY(parse_patterns(cursor, args.form));
  if (cursor.accept_sp_word("RETURN")) {
    args.form = ListArgs::Form::extended;
    args.returns = TRY(parse_return_options(cursor));
  }
  TRY(cursor.end());
  return args;
}

Result<ListArgs> parse_lsub(Cursor& cursor) {
  ListArgs args;
  TRY(cursor.sp());
  args.reference = TRY(cursor.mailbox());
  TRY(cursor.sp());
  args.patterns.push_back(TRY(cursor.list_mailbox()));
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
