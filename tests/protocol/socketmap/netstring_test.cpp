#include "protocol/socketmap/netstring.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/cuts.h"

using postkeep::socketmap::NetstringFramer;
using postkeep::socketmap::write_netstring;
using Event = NetstringFramer::Event;

namespace {

std::vector<std::string> strings_of(const postkeep::test::Pieces& pieces, std::size_t limit) {
  NetstringFramer framer(limit);
  std::vector<std::string> out;
  for (const std::string_view piece : pieces) {
    framer.push(piece);
    std::string_view text;
    Event event = framer.next(text);
    for (; event == Event::string; event = framer.next(text)) out.emplace_back(text);
    if (event == Event::broken) {
      if (out.empty() || out.back() != "(broken)") out.push_back("(broken)");
    }
  }
  return out;
}

Event first_event(std::string_view bytes) {
  NetstringFramer framer(10);
  framer.push(bytes);
  std::string_view text;
  return framer.next(text);
}

}  // namespace

TEST_CASE("netstrings come out the same however the bytes arrive") {
  const std::vector<std::string> expected = {"hello", "", "a,b:c", "1234567890", "(broken)"};
  postkeep::test::for_each_cut("5:hello,0:,5:a,b:c,10:1234567890,x3:abc,",
                               [&](const auto& pieces) { CHECK(strings_of(pieces, 10) == expected); });
}

TEST_CASE("what is no netstring is broken as soon as that can be seen") {
  for (const char* bytes :
       {"11", "99999999999999999999", "00", "01:a", ":a,", "a", "3;abc,", "3:abcd", "-1:,", " 3:abc,", "3:abc\n"}) {
    CAPTURE(bytes);
    CHECK(first_event(bytes) == Event::broken);
  }
  for (const char* bytes : {"", "1", "10", "0", "0:", "10:123", "3:abc"}) {
    CAPTURE(bytes);
    CHECK(first_event(bytes) == Event::incomplete);
  }
}

TEST_CASE("after a broken one nothing is kept and nothing understood") {
  NetstringFramer framer(10);
  framer.push("x");
  std::string_view text;
  CHECK(framer.next(text) == Event::broken);
  framer.push("3:abc,");
  CHECK(framer.next(text) == Event::broken);
  CHECK(framer.buffered() == 0);
}

TEST_CASE("a netstring written is the netstring read") {
  std::string out;
  write_netstring(out, "");
  write_netstring(out, "users alice@example.org");
  CHECK(out == "0:,23:users alice@example.org,");
}
