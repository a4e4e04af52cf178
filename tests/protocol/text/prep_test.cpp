#include "protocol/text/prep.h"

#include <doctest/doctest.h>

using namespace postkeep;
using text::Prep;
using text::sasl_prep;

TEST_CASE("the examples of RFC 4013 come out as they stand there") {
  CHECK(sasl_prep("I\xC2\xADX").value() == "IX");
  CHECK(sasl_prep("user").value() == "user");
  CHECK(sasl_prep("USER").value() == "USER");
  CHECK(sasl_prep("\xC2\xAA").value() == "a");
  CHECK(sasl_prep("\xE2\x85\xA8").value() == "IX");
  CHECK_FALSE(sasl_prep("\x07").has_value());
  CHECK_FALSE(sasl_prep("\xD8\xA7\x31").has_value());
}

TEST_CASE("a query may have code points that Unicode does not know, what is stored may not") {
  const char* unassigned = "a\xF3\xB0\x80\x80";  // U+F0000 is private use, and prohibited
  CHECK_FALSE(sasl_prep(unassigned).has_value());
  const char* unknown = "a\xCD\xB8";  // U+0378
  CHECK(sasl_prep(unknown).value() == unknown);
  CHECK_FALSE(sasl_prep(unknown, Prep::stored).has_value());
  const char* emoji = "\xF0\x9F\x98\x80";  // newer than Unicode 3.2
  CHECK(sasl_prep(emoji).value() == emoji);
  CHECK(sasl_prep(emoji, Prep::stored).value() == emoji);
}
