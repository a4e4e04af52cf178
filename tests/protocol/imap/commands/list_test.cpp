#include "protocol/imap/commands/list.h"

#include <doctest/doctest.h>

#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

// Everything that was asked for, in a fixed order.
std::string show(const Result<ListArgs>& args) {
  if (!args) return "error: " + args.error().text;
  std::string out = args->form == ListArgs::Form::extended ? "extended" : "basic";
  if (args->select.subscribed) out += " subscribed";
  if (args->select.remote) out += " remote";
  if (args->select.recursive_match) out += " recursivematch";
  if (args->select.special_use) out += " special-use";
  out += " <" + args->reference + ">";
  for (const std::string& pattern : args->patterns) out += " <" + pattern + ">";
  if (args->returns.subscribed) out += " return-subscribed";
  if (args->returns.children) out += " return-children";
  if (args->returns.special_use) out += " return-special-use";
  for (const StatusItem item : args->returns.status) out += " " + std::string(to_wire(item));
  return out;
}

std::string list(const char* arguments) { return show(parsed(std::string("LIST ") + arguments, parse_list)); }

}  // namespace

TEST_CASE("LIST takes a reference and a pattern") {
  CHECK(list("\"\" \"\"") == "basic <> <>");
  CHECK(list("\"\" *") == "basic <> <*>");
  CHECK(list("~/Mail/ %/x]") == "basic <~/Mail/> <%/x]>");
  CHECK(list("\"\" \"a %\" ") == "basic <> <a %>");
  CHECK(list("{1}\r\na {2+}\r\nb*") == "basic <a> <b*>");
}

TEST_CASE("LIST takes several patterns, selection and return options") {
  CHECK(list("\"\" (INBOX \"a b\" %)") == "extended <> <INBOX> <a b> <%>");
  CHECK(list("() \"\" %") == "extended <> <%>");
  CHECK(list("(subscribed Remote RECURSIVEMATCH) \"\" *") == "extended subscribed remote recursivematch <> <*>");
  CHECK(list("(SPECIAL-USE) \"\" * RETURN ()") == "extended special-use <> <*>");
  CHECK(list("\"\" % RETURN (CHILDREN SUBSCRIBED SPECIAL-USE STATUS (messages UNSEEN))") ==
        "extended <> <%> return-subscribed return-children return-special-use MESSAGES UNSEEN");
}

TEST_CASE("a malformed LIST is refused") {
  check_bad({"LIST",
             "LIST \"\"",
             "LIST \"\" ",
             "LIST \"\" () ",
             "LIST \"\" (a",
             "LIST \"\" (a )",
             "LIST (NONSENSE) \"\" *",
             "LIST (SUBSCRIBED \"\" *",
             "LIST (SUBSCRIBED )\"\" *",
             "LIST (SUBSCRIBED)\"\" *",
             "LIST (RECURSIVEMATCH) \"\" *",
             "LIST (REMOTE RECURSIVEMATCH) \"\" *",
             "LIST \"\" * RETURN",
             "LIST \"\" * RETURN CHILDREN",
             "LIST \"\" * RETURN (NONSENSE)",
             "LIST \"\" * RETURN (STATUS)",
             "LIST \"\" * RETURN (STATUS ())",
             "LIST \"\" * x",
             "LIST * *",
             "LIST \"\" * RETURN (CHILDREN"},
            parse_list);
}

TEST_CASE("LIST has a limit on patterns") {
  std::string many = "a LIST \"\" (x";
  for (std::size_t i = 1; i < limits::list_patterns_max; ++i) many += " x";
  const auto parses = [](const std::string& text) {
    const FramedCommand command = FramedCommand::of_line(text);
    Cursor cursor(command);
    return parse_command_head(cursor) && parse_list(cursor);
  };
  CHECK(parses(many + ")"));
  CHECK_FALSE(parses(many + " x)"));
}

TEST_CASE("LSUB takes a reference and one pattern") {
  CHECK(show(parsed("LSUB \"#news.\" comp.mail.%", parse_lsub)) == "basic <#news.> <comp.mail.%>");
  check_bad({"LSUB", "LSUB x", "LSUB () \"\" *", "LSUB \"\" (a b)", "LSUB \"\" * RETURN ()"}, parse_lsub);
}
