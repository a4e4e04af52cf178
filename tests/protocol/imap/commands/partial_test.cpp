#include "protocol/imap/commands/partial.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::imap;

namespace {

Result<PartialRange> range_of(const std::string& text) {
  const FramedCommand command = FramedCommand::of_line(text);
  Cursor cursor(command);
  PartialRange range = TRY(parse_partial_range(cursor));
  TRY(cursor.end());
  return range;
}

std::string window(const std::string& range, const std::string& all) {
  return range_of(range).value().of(UidSet::from_wire(all).value()).to_wire();
}

}  // namespace

TEST_CASE("a window counts from the lowest or from the highest, in either order") {
  CHECK(window("1:3", "2,4,6,8:9") == "2,4,6");
  CHECK(window("3:1", "2,4,6,8:9") == "2,4,6");
  CHECK(window("4:10", "2,4,6,8:9") == "8:9");
  CHECK(window("-1:-2", "2,4,6,8:9") == "8:9");
  CHECK(window("-4:-3", "2,4,6,8:9") == "4,6");
  CHECK(window("-5:-100", "2,4,6,8:9") == "2");
  CHECK(window("-6:-7", "2,4,6,8:9") == "");
  CHECK(window("6:4294967295", "2,4,6,8:9") == "");
  CHECK(window("2:2", "1:4294967295") == "2");
  CHECK(range_of("-3:-1").value().text == "-3:-1");
}

TEST_CASE("what is no window is refused") {
  for (const char* text : {"", "1", "1:", "0:1", "1:0", "-1:2", "1:-2", "*:1", "1:*", "1:4294967296", "--1:-2"}) {
    CAPTURE(text);
    CHECK_FALSE(range_of(text).has_value());
  }
}
