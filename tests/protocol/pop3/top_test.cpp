#include "protocol/pop3/top.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/split_feed.h"

using namespace postkeep;

namespace {

// However the message is cut.
std::string top_of(std::string_view message, std::uint64_t lines) {
  std::string first;
  bool is_first = true;
  for (const test::Split& split : test::every_split(message)) {
    CAPTURE(split.name);
    pop3::TopCutter cutter(lines);
    std::string top;
    for (const std::string_view piece : split.pieces) top += cutter.feed(piece);
    if (is_first) first = top;
    CHECK(top == first);
    is_first = false;
  }
  return first;
}

}  // namespace

TEST_CASE("a top is the header, the empty line and so many lines") {
  const std::string header = "Subject: x\r\nTo: y\r\n\r\n";
  const std::string message = header + "one\r\n\r\nthree\r\n";
  CHECK(top_of(message, 0) == header);
  CHECK(top_of(message, 1) == header + "one\r\n");
  CHECK(top_of(message, 2) == header + "one\r\n\r\n");
  CHECK(top_of(message, 3) == message);
  CHECK(top_of(message, 4) == message);
  CHECK(top_of(message, UINT64_MAX) == message);
}

TEST_CASE("the top of a message without body, header or end is what there is of it") {
  CHECK(top_of("", 5) == "");
  CHECK(top_of("Subject: x\r\n", 5) == "Subject: x\r\n");
  CHECK(top_of("Subject: x", 0) == "Subject: x");
  CHECK(top_of("Subject: x\r\n\r\n", 5) == "Subject: x\r\n\r\n");
  CHECK(top_of("\r\n", 0) == "\r\n");
  CHECK(top_of("\r\nbody\r\nmore\r\n", 1) == "\r\nbody\r\n");
  CHECK(top_of("Subject: x\r\n\r\nunfinished", 1) == "Subject: x\r\n\r\nunfinished");
  CHECK(top_of("Subject: x\r\n\r\n\r\n\r\n", 1) == "Subject: x\r\n\r\n\r\n");
}

TEST_CASE("a line ends with LF, and one of CRs alone is empty only if it is one CR") {
  CHECK(top_of("a: b\n\nc\nd\n", 1) == "a: b\n\nc\n");
  CHECK(top_of("a: b\r\n\r\r\nc\r\n\r\nd\r\n", 0) == "a: b\r\n\r\r\nc\r\n\r\n");
  CHECK(top_of("a\rb\r\n \r\n\r\nx", 0) == "a\rb\r\n \r\n\r\n");
}

TEST_CASE("what is done takes nothing more") {
  pop3::TopCutter cutter(0);
  CHECK(cutter.feed("a: b\r\n\r\nbody") == "a: b\r\n\r\n");
  CHECK(cutter.done());
  CHECK(cutter.feed("more") == "");
  pop3::TopCutter open(1);
  CHECK(open.feed("a: b\r\n\r\nhalf a li") == "a: b\r\n\r\nhalf a li");
  CHECK_FALSE(open.done());
}
