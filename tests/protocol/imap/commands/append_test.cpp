#include "protocol/imap/commands/append.h"

#include <doctest/doctest.h>

#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

std::string show(const AppendMessage& message) {
  std::string out = "(" + message.flags.to_wire() + ")";
  if (message.internal_date) out += " " + format_imap_date_time(*message.internal_date);
  if (message.utf8 == Utf8Literal::yes) out += " utf8";
  return out;
}

// An APPEND as a session handles it: one line for each message, then "end"; the first error instead.
std::string append(const std::vector<std::string_view>& pieces) {
  Framer framer;
  std::string out;
  std::optional<AppendMessage> last;
  for (const std::string_view piece : pieces) {
    framer.feed(piece);
    for (Framer::Event event = framer.next(); event != Framer::Event::need_more; event = framer.next()) {
      if (event == Framer::Event::streaming) {
        if (framer.take_literal().empty()) break;
      } else if (event == Framer::Event::literal_due) {
        REQUIRE((last || is_append(framer.partial())));
        Cursor cursor(framer.partial());
        if (!last) {
          auto head = parse_append_head(cursor);
          if (!head) return out + "bad: " + head.error().text;
          if (!*head) {
            framer.buffer_literal();
            continue;
          }
          out += (*head)->mailbox + "\n";
          last = (*head)->first;
        } else {
          auto next = parse_append_next(cursor, *last);
          if (!next) return out + "bad: " + next.error().text;
          REQUIRE(*next);
          last = **next;
        }
        out += show(*last) + " " + std::to_string(framer.literal().size) + "\n";
        framer.stream_literal();
      } else if (event == Framer::Event::command) {
        const FramedCommand rest = framer.take_command();
        Cursor cursor(rest);
        if (!last) return out + "no literal";
        const Outcome end = parse_append_end(cursor, *last);
        return out + (end ? "end" : "bad: " + end.error().text);
      }
    }
  }
  return out + "need more";
}

void check(const std::string& bytes, const std::string& expected) {
  for (const test::Split& split : test::every_split(bytes)) {
    INFO(split.name);
    CHECK(append(split.pieces) == expected);
  }
}

}  // namespace

TEST_CASE("APPEND is read in pieces while its message streams by") {
  check("a APPEND saved {5}\r\nhello\r\n", "saved\n() 5\nend");
  check("a append saved-messages (\\Seen $x) {3+}\r\nabc\r\n", "saved-messages\n(\\Seen $x) 3\nend");
  check("a APPEND x \"17-Jul-1996 02:44:25 -0700\" {1}\r\na\r\n", "x\n() 17-Jul-1996 09:44:25 +0000 1\nend");
  check("a APPEND x () \" 7-Jul-1996 02:44:25 +0000\" {1}\r\na \r\n", "x\n() 07-Jul-1996 02:44:25 +0000 1\nend");
  check("a APPEND {3}\r\na b {1}\r\na\r\n", "a b\n() 1\nend");
  check("a APPEND \"a b\" ~{2}\r\n\r\n\r\n", "a b\n() 2\nend");
  check("a APPEND x {0}\r\n\r\n", "x\n() 0\nend");
}

TEST_CASE("MULTIAPPEND is several messages in one command") {
  check("a APPEND x (\\Seen) {2}\r\nab (\\Draft) \"01-Jan-1970 00:00:00 +0000\" {1+}\r\nc {1}\r\nd\r\n",
        "x\n(\\Seen) 2\n(\\Draft) 01-Jan-1970 00:00:00 +0000 1\n() 1\nend");
}

TEST_CASE("APPEND takes messages in UTF8 literals") {
  check("a APPEND x (\\Seen) UTF8 (~{2}\r\nab)\r\n", "x\n(\\Seen) utf8 2\nend");
  check("a APPEND x UTF8 (~{2+}\r\nab) {1+}\r\nc\r\n", "x\n() utf8 2\n() 1\nend");
  check("a APPEND x UTF8 (~{2+}\r\nab\r\n", "x\n() utf8 2\nbad: Expected \")\"");
}

TEST_CASE("APPEND that is cut off needs more") {
  check("a APPEND x {5}\r\nhel", "x\n() 5\nneed more");
  check("a APPEND x {5}\r\nhello", "x\n() 5\nneed more");
}

TEST_CASE("a malformed APPEND is refused before its message comes") {
  for (const char* bytes :
       {"a APPEND x (\\Seen {5}\r\n", "a APPEND x(\\Seen) {5}\r\n", "a APPEND x (\\Recent) {5}\r\n",
        "a APPEND x \"yesterday\" {5}\r\n", "a APPEND x {1+}\r\na)", "a APPEND x (\\Seen){5}\r\n",
        "a APPEND x y {5}\r\n", "a APPEND x \"17-Jul-1996 02:44:25 -0700\" (\\Seen) {5}\r\n",
        "a APPEND x {1+}\r\nab\r\n", "a APPEND x {1+}\r\na() {1}\r\n", "a APPEND % {1}\r\n", "a APPEND x{1}\r\n"}) {
    CAPTURE(bytes);
    const std::string line = std::string(bytes) + "\r\n";
    const std::string seen = append({std::string_view(line)});
    CHECK(seen.find("bad: ") != std::string::npos);
  }
  check("a APPEND x\r\n", "no literal");
  check("a APPEND x {1+}\r\na (\\Seen)\r\n", "x\n() 1\nbad: Unexpected argument at the end of the command");
}

TEST_CASE("only APPEND is an APPEND") {
  CHECK(is_append(FramedCommand::of_line("a append x ")));
  CHECK_FALSE(is_append(FramedCommand::of_line("a UID APPEND x ")));
  CHECK(is_append(FramedCommand::of_line("a replace 1 x ")));
  CHECK(is_append(FramedCommand::of_line("a UID REPLACE 1 x ")));
  CHECK_FALSE(is_append(FramedCommand::of_line("a LOGIN ")));
  CHECK_FALSE(is_append(FramedCommand::of_line("APPEND ")));
  CHECK_FALSE(is_append(FramedCommand::of_line("")));
}
