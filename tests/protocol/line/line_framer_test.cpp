#include "protocol/line/line_framer.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/cuts.h"

using postkeep::line::LineFramer;
using namespace std::string_literals;

namespace {
std::vector<std::string> lines_of(const postkeep::test::Pieces& pieces, std::size_t limit) {
  LineFramer framer(limit);
  std::vector<std::string> out;
  for (const std::string_view piece : pieces) {
    framer.push(piece);
    std::string_view line;
    for (auto event = framer.next(line); event != LineFramer::Event::incomplete; event = framer.next(line)) {
      out.push_back(event == LineFramer::Event::line ? std::string(line) : "(too long)");
    }
    CHECK(framer.buffered().size() <= limit + piece.size());
  }
  return out;
}
}  // namespace

TEST_CASE("a part of what is buffered can be taken, and the rest are lines") {
  LineFramer framer(100);
  framer.push("BDAT 5\r\n12345NOOP\r\n");
  std::string_view line;
  CHECK(framer.next(line) == LineFramer::Event::line);
  CHECK(framer.take_buffered(3) == "123");
  CHECK(framer.take_buffered(2) == "45");
  CHECK(framer.next(line) == LineFramer::Event::line);
  CHECK(line == "NOOP");
  CHECK(framer.take_buffered(10).empty());
}

TEST_CASE("lines come out the same however the bytes arrive") {
  const std::vector<std::string> expected = {"LHLO a", "", "bare", "c\rr", "(too long)", "12345678", "QUIT"};
  postkeep::test::for_each_cut("LHLO a\r\n\r\nbare\nc\rr\r\n123456789\r\n12345678\r\nQUIT\r\nrest",
                               [&](const auto& pieces) { CHECK(lines_of(pieces, 10) == expected); });
}

TEST_CASE("a line without end costs no memory and the one after it is sound") {
  LineFramer framer(100);
  std::string_view line;
  for (int i = 0; i < 1000; ++i) {
    framer.push(std::string(1000, 'x'));
    REQUIRE(framer.next(line) == LineFramer::Event::incomplete);
    REQUIRE(framer.buffered().size() <= 100);
  }
  framer.push("x\r\nNOOP\r\n");
  CHECK(framer.next(line) == LineFramer::Event::too_long);
  CHECK(framer.next(line) == LineFramer::Event::line);
  CHECK(line == "NOOP");
}

TEST_CASE("what follows a line can be taken away as it is") {
  LineFramer framer(100);
  framer.push("DATA\r\nSubject: x\r\n");
  std::string_view line;
  CHECK(framer.next(line) == LineFramer::Event::line);
  CHECK(framer.buffered() == "Subject: x\r\n");
  CHECK(framer.take_buffered() == "Subject: x\r\n");
  CHECK(framer.buffered().empty());
  framer.push("QUIT\r\n");
  CHECK(framer.next(line) == LineFramer::Event::line);
  CHECK(line == "QUIT");
}
