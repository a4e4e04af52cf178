#include "conformance/runner/pop3_script.h"

#include <doctest/doctest.h>

#include "conformance/runner/script.h"
#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

Pop3Expectation read(std::string_view text) { return must(parse_pop3_expectation(text, 7)); }

using Kind = Pop3Expectation::Kind;
using Demand = Pop3Expectation::Demand;

}  // namespace

TEST_CASE("a reply is OK or ERR, with a code, with words, or one of several") {
  const Pop3Expectation two = read("OK 2 $size");
  REQUIRE(two.statuses.size() == 1);
  CHECK(two.statuses[0].ok);
  CHECK(two.statuses[0].words == std::vector<std::string>{"2", "$size"});
  CHECK(two.line == 7);
  const Pop3Expectation either = read("ERR [SYS/TEMP]|ERR [AUTH]|OK");
  REQUIRE(either.statuses.size() == 3);
  CHECK(either.statuses[0].code == "SYS/TEMP");
  CHECK(either.statuses[1].code == "AUTH");
  CHECK(either.statuses[2].ok);
  CHECK(read("optional ERR").demand == Demand::may);
}

TEST_CASE("what is said of the lines of an answer") {
  CHECK(read("line 1 _").words == std::vector<std::string>{"1", "_"});
  CHECK(read("then line /^a b$/").regex == "^a b$");
  CHECK(read("then line x").then);
  CHECK(read("not line x").demand == Demand::must_not);
  CHECK(read("not /x/").kind == Kind::raw_regex);
  CHECK(read("lines 3").kind == Kind::count);
  CHECK(read("size $s").text == "$s");
  CHECK(read("message plain").is_fixture);
  CHECK(read("top 3 of plain").top_lines == 3);
  CHECK(read("top 3 of plain").text == "plain");
  CHECK_FALSE(read("text \"a\\r\\n\"").is_fixture);
  CHECK(read("+").kind == Kind::continuation);
  CHECK(read("closed").kind == Kind::closed);
}

TEST_CASE("what makes no sense is refused") {
  for (const std::string_view bad :
       {"NO", "OK [AUTH", "* 1 EXISTS", "/x/", "then OK", "then not line x", "not OK", "optional line x", "line /(/",
        "line 1 /(/", "top x of plain", "top 1 plain", "text a", "OK|"}) {
    CAPTURE(bad);
    CHECK(kind_of(parse_pop3_expectation(bad, 1)) == ErrorKind::bad_syntax);
  }
}

TEST_CASE("a script says that it speaks POP3, fills INBOX and may begin TLS") {
  const Script script =
      must(parse_script("p",
                        "script P\nprotocol pop3\ncase c\n  given INBOX: plain, html\n  A: STLS\n    OK\n"
                        "  A tls\n  A: LIST\n    OK\n    lines 2\n"));
  CHECK(script.protocol == Speaks::pop3);
  const Case& one = script.cases.at(0);
  CHECK(one.given.at(0).variable == "INBOX");
  CHECK(one.given.at(0).messages.size() == 2);
  CHECK(one.uses_inbox);
  REQUIRE(one.steps.size() == 3);
  CHECK(one.steps[1].kind == Step::Kind::handshake);
  CHECK(one.steps[2].pop3.size() == 2);
  CHECK(one.steps[2].expectations.empty());
  CHECK(kind_of(parse_script("p", "protocol smtp\n")) == ErrorKind::bad_syntax);
  CHECK(kind_of(parse_script("p", "protocol pop3\ncase c\n  A: LIST\n    * 1 EXISTS\n")) == ErrorKind::bad_syntax);
}
