#include "conformance/runner/script.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

TEST_CASE("a script is read to its cases, steps and expectations") {
  const Script script = must(parse_script("x/y", R"(# comment
script RFC 9051 §1: title
needs IDLE|rev2

case first
  proves 9051-1-1 9051-1-2
  given $box: plain (\Seen \Deleted), html
  given $free: name
  A: SELECT $box
    * 2 EXISTS
    not * _ RECENT
    then * OK [UIDVALIDITY $v]
    nothing else
    OK|NO [X _]
  B as user2: IDLE
    +
  A raw: "x NOOP\r\n"
    x OK
  A send t1: NOOP
  A await t1
    BAD|OK
  B sees nothing
  B+ DONE
    OK
  deliver user1: plain
  A close

case second
  modes rev2
  needs MOVE
  A unauthenticated: NOOP
    closed
)"));
  CHECK(script.title == "RFC 9051 §1: title");
  REQUIRE(script.cases.size() == 2);
  const Case& first = script.cases[0];
  CHECK(first.proves == std::vector<std::string>{"9051-1-1", "9051-1-2"});
  CHECK(first.needs == std::vector<std::string>{"IDLE|rev2"});
  REQUIRE(first.given.size() == 2);
  CHECK(first.given[0].messages.size() == 2);
  CHECK(first.given[0].messages[0].flags == "\\Seen \\Deleted");
  CHECK_FALSE(first.given[1].create);
  CHECK(first.steps.size() == 9);
  const std::vector<Expectation>& wanted = first.steps[0].expectations;
  REQUIRE(wanted.size() == 5);
  CHECK(wanted[1].demand == Expectation::Demand::must_not);
  CHECK(wanted[2].then);
  CHECK(wanted[3].kind == Expectation::Kind::nothing_else);
  REQUIRE(wanted[4].statuses.size() == 2);
  CHECK(wanted[4].statuses[0].code.empty());
  CHECK(wanted[4].statuses[1].condition == "NO");
  CHECK(wanted[4].statuses[1].code.size() == 2);
  CHECK(first.steps[1].user == 2);
  CHECK(first.steps[2].expectations[0].tag == "x");
  CHECK(first.steps[3].kind == Step::Kind::send);
  CHECK(first.steps[4].kind == Step::Kind::await);
  CHECK(first.uses_inbox);
  CHECK(first.delivers);
  const Case& second = script.cases[1];
  CHECK_FALSE(second.rev1);
  CHECK(second.needs.size() == 2);
  CHECK_FALSE(second.steps[0].authenticated);
  CHECK_FALSE(second.uses_inbox);
}

TEST_CASE("what is wrong is said with its line") {
  for (const char* text :
       {"  A: NOOP\n", "case x\n    OK\n", "case x\n  A: NOOP\n    FINE\n", "nonsense\n", "case x\n  Q\n",
        "case x\n  given box: plain\n", "case x\n  A: NOOP\n    * OK (\n", "case x\n  A as user3: NOOP\n",
        "case x\n  deliver user1\n", "modes rev3\n", "case x\n  A send t1\n", "case x\n  A await t1: NOOP\n",
        "case x\n  A: NOOP\n    /x/\n", "case x\n  A: NOOP\n    not /(/\n", "case x\n  A: NOOP\n    not closed\n",
        "case x\n  A: NOOP\n    optional nothing else\n"}) {
    CAPTURE(text);
    const Result<Script> script = parse_script("s", std::string("script t\n") + text);
    REQUIRE_FALSE(script.has_value());
    CHECK(script.error().text.starts_with("s:"));
  }
}
