#include "protocol/socketmap/query.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::socketmap;
using namespace std::string_literals;

namespace {

std::string written(Status status, std::string text) {
  std::string out;
  write_answer(out, Answer(status, std::move(text)));
  return out;
}

}  // namespace

TEST_CASE("a query is a map and the rest a key") {
  const Query query = test::must(parse_query("users alice smith@example.org"));
  CHECK(query.map == "users");
  CHECK(query.key == "alice smith@example.org");
  CHECK(test::must(parse_query("users ")).key.empty());
  CHECK(test::kind_of(parse_query("users")) == ErrorKind::bad_syntax);
  CHECK(test::kind_of(parse_query(" alice")) == ErrorKind::bad_syntax);
  CHECK(test::kind_of(parse_query("")) == ErrorKind::bad_syntax);
}

TEST_CASE("answers are netstrings of a word and a text") {
  CHECK(written(Status::ok, "alice") == "8:OK alice,");
  CHECK(written(Status::not_found, "not told") == "9:NOTFOUND ,");
  CHECK(written(Status::temp, "Try again") == "14:TEMP Try again,");
  CHECK(written(Status::timeout, "Too slow") == "16:TIMEOUT Too slow,");
  CHECK(written(Status::perm, "No such map") == "16:PERM No such map,");
}

TEST_CASE("an answer is one line of bounded length") {
  CHECK(written(Status::ok, "a\r\nb\0c"s) == "9:OK a  b c,");
  const std::string longest(answer_octets_max, 'x');
  CHECK(written(Status::ok, longest).starts_with("16387:OK xxx"));
  CHECK(written(Status::ok, longest + "x") == "27:PERM The answer is too long,");
}
