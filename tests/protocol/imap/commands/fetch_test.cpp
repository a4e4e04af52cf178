#include "protocol/imap/commands/fetch.h"

#include <doctest/doctest.h>

#include "protocol/imap/responses/fetch.h"
#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

// The items as a response names them, with a mark for those that set \Seen and the octets asked for.
std::string items(const std::string& list) {
  const auto args = parsed("FETCH 1 " + list, parse_fetch);
  if (!args) return "error: " + args.error().text;
  std::string out;
  for (const FetchItem& item : args->items) {
    if (!out.empty()) out += ' ';
    out += response_name(item);
    if (item.partial) out += "." + std::to_string(item.partial->count);
    if (item.kind == FetchItem::Kind::preview_lazy) out += "(LAZY)";
    if (item.sets_seen()) out += "!";
  }
  return out;
}

}  // namespace

TEST_CASE("FETCH items are read in any case, one or a list") {
  CHECK(items("FLAGS") == "FLAGS");
  CHECK(items("(flags uid InternalDate rfc822.size envelope body bodystructure)") ==
        "FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE");
  CHECK(items("(MODSEQ EMAILID THREADID SAVEDATE)") == "MODSEQ EMAILID THREADID SAVEDATE");
  CHECK(items("(RFC822 RFC822.HEADER RFC822.TEXT)") == "RFC822! RFC822.HEADER RFC822.TEXT!");
  CHECK(items("(FLAGS FLAGS UID)") == "FLAGS UID");
}

TEST_CASE("FETCH macros stand for their items, alone only") {
  CHECK(items("ALL") == "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE");
  CHECK(items("fast") == "FLAGS INTERNALDATE RFC822.SIZE");
  CHECK(items("FULL") == "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY");
  CHECK(items("(ALL)") == "error: Unknown FETCH item ALL");
}

TEST_CASE("FETCH reads body sections of every kind") {
  CHECK(items("BODY[]") == "BODY[]!");
  CHECK(items("BODY.PEEK[]") == "BODY[]");
  CHECK(items("body[header]") == "BODY[HEADER]!");
  CHECK(items("BODY[TEXT]<0.1024>") == "BODY[TEXT]<0>.1024!");
  CHECK(items("BODY[1]") == "BODY[1]!");
  CHECK(items("BODY[1.2.3]<5.1>") == "BODY[1.2.3]<5>.1!");
  CHECK(items("BODY[4.1.MIME]") == "BODY[4.1.MIME]!");
  CHECK(items("BODY[3.HEADER]") == "BODY[3.HEADER]!");
  CHECK(items("BODY[3.TEXT]") == "BODY[3.TEXT]!");
  CHECK(items("BODY.PEEK[HEADER.FIELDS (Date From)]") == "BODY[HEADER.FIELDS (Date From)]");
  CHECK(items("BODY.PEEK[2.header.fields.not (\"X Y\" {1}\r\nz)]<1.2>") ==
        "BODY[2.HEADER.FIELDS.NOT (\"X Y\" z)]<1>.2");
  CHECK(items("(BODY[] BODY.PEEK[] BODY)") == "BODY[]! BODY[] BODY");
}

TEST_CASE("FETCH reads BINARY") {
  CHECK(items("BINARY[]") == "BINARY[]!");
  CHECK(items("BINARY.PEEK[1.2]<0.9223372036854775807>") == "BINARY[1.2]<0>.9223372036854775807");
  CHECK(items("BINARY.SIZE[1]") == "BINARY.SIZE[1]");
}

TEST_CASE("FETCH reads PREVIEW with and without its modifier") {
  CHECK(items("PREVIEW") == "PREVIEW");
  CHECK(items("PREVIEW (LAZY)") == "PREVIEW(LAZY)");
  CHECK(items("(FLAGS PREVIEW (LAZY) UID)") == "FLAGS PREVIEW(LAZY) UID");
  CHECK(items("(PREVIEW UID)") == "PREVIEW UID");
  CHECK(items("(PREVIEW) (LAZY)") == "PREVIEW(LAZY)");
  CHECK(parsed("FETCH 1 PREVIEW (CHANGEDSINCE 5)", parse_fetch)->changed_since == 5);
  CHECK(parsed("FETCH 1 PREVIEW (LAZY) (CHANGEDSINCE 5)", parse_fetch)->changed_since == 5);
}

TEST_CASE("FETCH takes modifiers") {
  const auto args = parsed("UID FETCH 1:*,$ FLAGS", parse_fetch);
  CHECK_FALSE(args);  // "$" stands alone
  const auto changed = parsed("UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)", parse_fetch).value();
  CHECK(changed.set == SequenceSet::parse("300:500").value());
  CHECK(changed.changed_since == 12345);
  CHECK(changed.vanished);
  CHECK(parsed("FETCH 1 FLAGS (changedsince 0)", parse_fetch)->changed_since == 0);
  CHECK_FALSE(parsed("FETCH 1 FLAGS", parse_fetch)->changed_since);
}

TEST_CASE("a malformed FETCH is refused") {
  check_bad({"FETCH",
             "FETCH 1",
             "FETCH 1 ",
             "FETCH 1 ()",
             "FETCH 1 (FLAGS",
             "FETCH 1 (FLAGS )",
             "FETCH 1 ( FLAGS)",
             "FETCH 1 (FLAGS  UID)",
             "FETCH 1 FLAGS UID",
             "FETCH 1 NONSENSE",
             "FETCH 1 BODY[",
             "FETCH 1 BODY[]]",
             "FETCH 1 BODY[0]",
             "FETCH 1 BODY[1.]",
             "FETCH 1 BODY[.1]",
             "FETCH 1 BODY[1..2]",
             "FETCH 1 BODY[1.0]",
             "FETCH 1 BODY[1.FOO]",
             "FETCH 1 BODY[MIME]",
             "FETCH 1 BODY[HEADER.1]",
             "FETCH 1 BODY[HEADER.FIELDS]",
             "FETCH 1 BODY[HEADER.FIELDS ()]",
             "FETCH 1 BODY[HEADER.FIELDS (a b]",
             "FETCH 1 BODY[HEADER.FIELDS(a)]",
             "FETCH 1 BODY[HEADER (a)]",
             "FETCH 1 BODY[]<0>",
             "FETCH 1 BODY[]<0.0>",
             "FETCH 1 BODY[]<.1>",
             "FETCH 1 BODY[]<0.1",
             "FETCH 1 BODY[]<-1.1>",
             "FETCH 1 BODY[]<0.9223372036854775808>",
             "FETCH 1 BODY [1]",
             "FETCH 1 BODY.PEEK",
             "FETCH 1 BINARY",
             "FETCH 1 BINARY[HEADER]",
             "FETCH 1 BINARY[1.MIME]",
             "FETCH 1 BINARY.SIZE[1]<0.1>",
             "FETCH 1 FLAGS[1]",
             "FETCH 1 ENVELOPE[]",
             "FETCH 0 FLAGS",
             "FETCH a FLAGS",
             "FETCH 1 FLAGS ()",
             "FETCH 1 FLAGS (CHANGEDSINCE)",
             "FETCH 1 FLAGS (CHANGEDSINCE x)",
             "FETCH 1 FLAGS (LAZY)",
             "FETCH 1 (PREVIEW (EAGER))",
             "FETCH 1 (PREVIEW (LAZY)",
             "FETCH 1 FLAGS (NONSENSE)"},
            parse_fetch);
}

TEST_CASE("FETCH keeps its limits") {
  std::string many = "(BODY[1]";
  for (std::size_t i = 2; i <= limits::fetch_items_max; ++i) many += " BODY[" + std::to_string(i) + "]";
  const auto fetch = [](const std::string& list) {
    const FramedCommand command = FramedCommand::of_line("a FETCH 1 " + list);
    Cursor cursor(command);
    return parse_command_head(cursor) && parse_fetch(cursor);
  };
  CHECK(fetch(many + ")"));
  CHECK_FALSE(fetch(many + " UID)"));
  std::string deep = "BODY[1";
  for (std::size_t i = 1; i < limits::part_path_max; ++i) deep += ".1";
  CHECK(fetch(deep + "]"));
  CHECK_FALSE(fetch(deep + ".1]"));
}
