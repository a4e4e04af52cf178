#include "protocol/imap/command.h"

#include <doctest/doctest.h>

#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

Result<CommandHead> head_of(const std::string& bytes) {
  const FramedCommand command = framed(bytes);
  Cursor cursor(command);
  return parse_command_head(cursor);
}

}  // namespace

TEST_CASE("the head of a command is tag and verb") {
  const auto noop = head_of("A1.b noop").value();
  CHECK(noop.tag == "A1.b");
  CHECK(noop.verb == "NOOP");
  CHECK(noop.uid == UidForm::no);
  const auto fetch = head_of("* Uid fetCH 1 FLAGS");
  CHECK_FALSE(fetch);  // "*" is no tag
  const auto uid_fetch = head_of("] Uid fetCH 1 FLAGS").value();
  CHECK(uid_fetch.verb == "FETCH");
  CHECK(uid_fetch.uid == UidForm::yes);
}

TEST_CASE("what has no head is refused") {
  for (const char* bytes : {"", " ", "a", "a ", " NOOP", "+ NOOP", "a+b NOOP", "a  NOOP", "a \"NOOP\"", "a UID",
                            "a UID ", "a (", "caf\xC3\xA9 NOOP"}) {
    CAPTURE(bytes);
    const auto head = head_of(bytes);
    REQUIRE_FALSE(head);
    CHECK(head.error().kind == ErrorKind::bad_syntax);
  }
  CHECK_FALSE(head_of(std::string(limits::tag_bytes_max + 1, 'a') + " NOOP"));
}

TEST_CASE("the tag of a broken command is known if it begins with one") {
  CHECK(tag_of(FramedCommand::of_line("a1 (")) == "a1");
  CHECK(tag_of(FramedCommand::of_line("a1")) == "a1");
  CHECK_FALSE(tag_of(FramedCommand::of_line("")));
  CHECK_FALSE(tag_of(FramedCommand::of_line("+ x")));
  CHECK_FALSE(tag_of(FramedCommand::of_line("a+ x")));
  CHECK_FALSE(tag_of(FramedCommand::of_line(std::string("a\0b c", 5))));
}

TEST_CASE("a verb without arguments has none, spaces aside") {
  CHECK(parsed("NOOP", parse_nothing));
  CHECK(parsed("NOOP  ", parse_nothing));
  check_bad({"NOOP x", "NOOP {1}\r\nx", "NOOP\r", "NOOP \t"}, parse_nothing);
}
