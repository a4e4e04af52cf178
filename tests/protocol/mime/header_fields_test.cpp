#include "protocol/mime/header_fields.h"

#include <doctest/doctest.h>

using namespace postkeep::mime;

namespace {
std::string names_of(std::string_view header) {
  std::string out;
  for (const HeaderField& field : read_header(header)) {
    out += std::string(field.name) + "=" + unfold(field.value) + ";";
  }
  return out;
}
std::string listed(std::string_view header, const std::vector<std::string>& names) {
  return header_subset(header, names, FieldSubset::listed);
}
std::string others(std::string_view header, const std::vector<std::string>& names) {
  return header_subset(header, names, FieldSubset::not_listed);
}
}  // namespace

TEST_CASE("fields are found, folded or not, until the blank line") {
  CHECK(names_of("A: b\r\nC:d\r\n\r\nE: f\r\n") == "A=b;C=d;");
  CHECK(names_of("A: b\r\n c\r\n\td\r\n") == "A=b c\td;");
  CHECK(names_of("A : b\n\nC: d") == "A=b;");
  CHECK(names_of("A: b") == "A=b;");
  CHECK(names_of("A:\r\n\r\n") == "A=;");
  CHECK(names_of("A: b\r\n \r\nC: d\r\n") == "A=b;C=d;");  // a line of blanks is a fold, not the end
  CHECK(names_of("").empty());
  CHECK(names_of("\r\n").empty());
}

TEST_CASE("lines that are no field are passed over with their continuations") {
  CHECK(names_of("From me@x Mon Jan 1 10:20:30\r\nA: b\r\n") == "A=b;");
  CHECK(names_of(" lost fold\r\nA: b\r\n") == "A=b;");
  CHECK(names_of("junk\r\n more\r\nA: b\r\n: c\r\nD e: f\r\n") == "A=b;");
}

TEST_CASE("unfolding removes line ends before blanks and nothing else inside") {
  CHECK(unfold(" a\r\n b\n\tc ") == "a b\tc");
  CHECK(unfold("a\rb") == "a\rb");
  CHECK(unfold("\r\n a \r\n") == "a");
  CHECK(unfold("  ").empty());
}

TEST_CASE("a subset has whole fields untouched, and the blank line if there is one") {
  const std::string header = "Subject: a\r\n b\r\nTO: x\r\nX: y\r\nto : z\r\n\r\n";
  CHECK(listed(header, {"to"}) == "TO: x\r\nto : z\r\n\r\n");
  CHECK(listed(header, {"SUBJECT", "x"}) == "Subject: a\r\n b\r\nX: y\r\n\r\n");
  CHECK(listed(header, {"none"}) == "\r\n");
  CHECK(others(header, {"to", "x"}) == "Subject: a\r\n b\r\n\r\n");
  CHECK(others(header, {"none"}) == header);
  CHECK(listed("To: x\r\n", {"to"}) == "To: x\r\n");  // no blank line, no body
  CHECK(listed("To: x", {"to"}) == "To: x");
}

TEST_CASE("lines that are no field are in every other subset") {
  const std::string header = "From me Mon\r\nTo: x\r\n\r\n";
  CHECK(listed(header, {"to", "from"}) == "To: x\r\n\r\n");
  CHECK(others(header, {"to"}) == "From me Mon\r\n\r\n");
}
