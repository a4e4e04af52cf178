#include "protocol/imap/client/response_parser.h"

#include <doctest/doctest.h>

#include "protocol/imap/responses/fetch.h"
#include "protocol/imap/responses/list.h"
#include "protocol/imap/responses/mailbox_data.h"
#include "protocol/imap/responses/search.h"
#include "protocol/imap/responses/state.h"
#include "tests/support/split_feed.h"

using namespace postkeep;
using namespace postkeep::imap;
using client::Response;
using client::ResponseParser;

namespace {

std::string show(const Response& response) {
  std::string out;
  if (response.kind == Response::Kind::continuation) out = "+";
  if (response.kind == Response::Kind::tagged) out = response.tag;
  if (response.kind == Response::Kind::untagged) out = "*";
  if (response.number) out += " #" + std::to_string(*response.number);
  if (!response.name.empty()) out += " " + response.name;
  if (!response.code.empty()) out += " code<" + response.code + ">";
  if (!response.text.empty()) out += " text<" + response.text + ">";
  for (const client::Value& value : response.data) out += " " + client::show(value);
  return out;
}

// All responses in `bytes`, one a line, the same at every split.
std::string responses(const std::string& bytes) {
  std::string whole;
  for (const test::Split& split : test::every_split(bytes)) {
    INFO(split.name);
    ResponseParser parser;
    std::string out;
    for (const std::string_view piece : split.pieces) {
      parser.feed(piece);
      while (true) {
        const auto response = parser.next();
        if (!response) {
          out += "bad\n";
        } else if (*response) {
          out += show(**response) + "\n";
        } else {
          break;
        }
      }
    }
    if (split.name == "whole") whole = out;
    CHECK(out == whole);
  }
  return whole;
}

template <class Write>
Response round_trip(Write write) {
  std::string out;
  Writer writer(out);
  write(writer);
  ResponseParser parser;
  parser.feed(out);
  auto response = parser.next();
  REQUIRE(response);
  REQUIRE(*response);
  REQUIRE_FALSE(parser.next().value());
  return **response;
}

}  // namespace

TEST_CASE("responses of every shape are read") {
  CHECK(responses("* OK [CAPABILITY IMAP4rev2] Hello\r\n") == "* OK code<CAPABILITY IMAP4rev2> text<Hello>\n");
  CHECK(responses("+ \r\n+ go on\r\n") == "+\n+ text<go on>\n");
  CHECK(responses("a1 NO [TRYCREATE] No\r\na2 OK Done\r\n") == "a1 NO code<TRYCREATE> text<No>\na2 OK text<Done>\n");
  CHECK(responses("* 23 EXISTS\r\n* 1 expunge\r\n") == "* #23 EXISTS\n* #1 EXPUNGE\n");
  CHECK(responses("* CAPABILITY IMAP4rev2 AUTH=PLAIN\r\n* SEARCH\r\n") ==
        "* CAPABILITY IMAP4rev2 AUTH=PLAIN\n* SEARCH\n");
  CHECK(responses("* LIST (\\HasNoChildren) \"/\" {3}\r\na\"b\r\n") == "* LIST (\\HasNoChildren) \"/\" \"a\\\"b\"\n");
  CHECK(responses("* LIST () nil a]b\r\n") == "* LIST () NIL a]b\n");
  CHECK(responses("* LIST () nil [Gmail]/x\r\n") == "* LIST () NIL [Gmail]/x\n");
  CHECK(responses("* NAMESPACE ((\"\" \"/\")(\"x\" \"/\")) NIL NIL\r\n") ==
        "* NAMESPACE ((\"\" \"/\") (\"x\" \"/\")) NIL NIL\n");
  CHECK(responses("* THREAD (1)(2 (3)(4 5))((6)(7))\r\n") == "* THREAD (1) (2 (3) (4 5)) ((6) (7))\n");
  CHECK(responses("* 1 FETCH (BODY[HEADER.FIELDS (From \"X Y\")]<0> {2}\r\nhi UID 7 FLAGS (\\Seen $x) BINARY[1] "
                  "~{3}\r\na\r\n)\r\n") ==
        "* #1 FETCH (BODY[HEADER.FIELDS (From \"X Y\")]<0> \"hi\" UID 7 FLAGS (\\Seen $x) BINARY[1] {3}\r\na\r\n)\n");
}

TEST_CASE("what no server may send is bad, and the stream goes on behind it") {
  for (const char* line : {"*",
                           "* ",
                           "*OK x",
                           "* 12",
                           "* 1 ",
                           "+",
                           "a",
                           "a ",
                           "a MAYBE x",
                           "a BYE x",
                           "* LIST (",
                           "* LIST )",
                           "* LIST (a",
                           "* LIST (a )",
                           "* LIST  ()",
                           "* LIST \"a",
                           "* SEARCH 1 ",
                           "* 1 FETCH (BODY[ x)",
                           "* OK [CODE x",
                           "* OK [CODE]x",
                           "* LIST () \\ x",
                           "* LIST \xC3\xA9",
                           "x+ OK x"}) {
    CAPTURE(line);
    CHECK(responses(std::string(line) + "\r\n* 1 EXISTS\r\n") == "bad\n* #1 EXISTS\n");
  }
  CHECK(responses("* LIST () NIL {1+}\r\nx\r\n* 1 EXISTS\r\n") == "bad\n* #1 EXISTS\n");
  CHECK(responses(std::string("* LIST () NIL {1}\r\n\0\r\n", 22)) == "bad\n");
}

TEST_CASE("values are nested only so deep") {
  const auto nested = [](std::size_t depth) {
    return responses("* X " + std::string(depth, '(') + "a" + std::string(depth, ')') + "\r\n") != "bad\n";
  };
  CHECK(nested(200));
  CHECK_FALSE(nested(201));
}

TEST_CASE("every octet that the writer writes comes back, NUL as 0x80") {
  for (int b = 0; b < 256; ++b) {
    const std::string one(1, static_cast<char>(b));
    CAPTURE(b);
    ListData list;
    list.mailbox = one;
    const Response response = round_trip([&](Writer& w) { write_list(w, list); });
    CHECK(response.data.at(2).text == (b == 0 ? "\x80" : one));
  }
}

TEST_CASE("what our writers write can be read") {
  CHECK(show(round_trip([](Writer& w) { write_tagged_error(w, "a", Error(ErrorKind::too_big, "evil\r\n* [x")); })) ==
        "a NO code<TOOBIG> text<evil??* [x>");
  CHECK(show(round_trip([](Writer& w) {
          write_search(w, UidSet{Uid(2), Uid(4)}, ModSeq(9));
        })) == "* SEARCH 2 4 (MODSEQ 9)");
  CHECK(show(round_trip([](Writer& w) {
          write_vanished(w, UidSet{Uid(2), Uid(4)}, Earlier::yes);
        })) == "* VANISHED (EARLIER) 2,4");
  FetchItem item;
  item.kind = FetchItem::Kind::body_section;
  item.section.text = mime::Section::Text::header_fields_not;
  item.section.part = {1, 2};
  item.section.fields = {"a\"b", "x\r\ny", ")"};
  const Response fetch = round_trip([&](Writer& w) {
    FetchResponse response(w, SeqNum(5));
    response.uid(Uid(7));
    response.section_bytes(response_name(item), "text\r\n");
    response.finish();
  });
  CHECK(fetch.number == 5);
  REQUIRE(fetch.item("uid"));
  CHECK(fetch.item("uid")->text == "7");
  REQUIRE(fetch.item(response_name(item)));
  CHECK(fetch.item(response_name(item))->text == "text\r\n");
  CHECK_FALSE(fetch.item("FLAGS"));
}
