#include "conformance/runner/judge.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

struct Judged {
  std::string reason;  // "": it is as the lines say
  int line;
  Variables variables;
};

Answer answer_of(const std::string& octets) {
  imap::client::ResponseParser parser;
  parser.feed(octets);
  Answer answer;
  answer.tag = "a1";
  answer.octets = octets;
  while (std::optional<imap::client::Response> response = must(parser.next())) {
    answer.responses.push_back(std::move(*response));
  }
  return answer;
}

// Lines begin at the third of the script.
std::vector<Expectation> expectations(const std::string& lines) {
  return must(parse_script("s", "script t\ncase c\n  A: X\n" + lines)).cases[0].steps[0].expectations;
}

Judged judged(const std::string& lines, const std::string& octets, bool closed = false) {
  static const Fixtures fixtures;
  Judged result{"", 0, {}};
  Judge judge(result.variables, fixtures);
  Answer answer = answer_of(octets);
  answer.closed = closed;
  const Outcome outcome = judge.judge(expectations(lines), answer);
  if (!outcome) result.reason = outcome.error().text;
  result.line = judge.failed_line();
  return result;
}

bool passes(const std::string& lines, const std::string& octets) { return judged(lines, octets).reason.empty(); }

constexpr const char* expunged = "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 EXISTS\r\na1 OK [CLOSED] done\r\n";

}  // namespace

TEST_CASE("what must come is looked for at any place, each response once") {
  CHECK(passes("    * 1 EXISTS\n    * 2 EXPUNGE\n    OK\n", expunged));
  CHECK(passes("    * 2 EXPUNGE\n    then * 2 EXPUNGE\n    OK\n", expunged));
  CHECK_FALSE(passes("    * 2 EXPUNGE\n    * 2 EXPUNGE\n    * 2 EXPUNGE\n", expunged));
  CHECK_FALSE(passes("    * 1 EXISTS\n    then * 2 EXPUNGE\n", expunged));
  CHECK(judged("    * $n EXISTS\n", expunged).variables.at("n") == "1");
}

TEST_CASE("what must not come, and nothing else") {
  CHECK(passes("    not * _ FETCH ...\n    OK\n", expunged));
  CHECK_FALSE(passes("    not * _ EXISTS\n    OK\n", expunged));
  CHECK_FALSE(passes("    not /EXPUNGE$/\n    OK\n", expunged));
  CHECK_FALSE(passes("    * 2 EXPUNGE\n    nothing else\n    OK\n", expunged));
  CHECK(passes("    * 2 EXPUNGE\n    * 2 EXPUNGE\n    optional * _ EXISTS\n    nothing else\n    OK\n", expunged));
  CHECK(passes("    optional * _ FETCH ...\n    OK\n", expunged));
}

TEST_CASE("the reply has one of the conditions and codes that are asked for") {
  CHECK(passes("    OK [CLOSED]\n", expunged));
  CHECK(passes("    NO|OK\n", expunged));
  CHECK_FALSE(passes("    OK [TRYCREATE]\n", expunged));
  CHECK_FALSE(passes("    NO\n", expunged));
  CHECK_FALSE(passes("    OK\n", "a2 OK other\r\n"));
  CHECK(passes("    * BYE\n", "* BYE gone\r\n"));
  CHECK(passes("    +\n", "+ go on\r\n"));
}

TEST_CASE("names and values of FETCH, STATUS and ESEARCH stand in any order") {
  CHECK(passes("    * 2 FETCH (UID 7 FLAGS {\\Seen ...})\n", "* 2 FETCH (FLAGS (\\Seen x) UID 7)\r\n"));
  CHECK(passes("    * ESEARCH (TAG _) UID COUNT 2\n", "* ESEARCH (TAG \"a1\") UID ALL 1:2 COUNT 2\r\n"));
  CHECK_FALSE(passes("    * ESEARCH (TAG _) COUNT 2\n", "* ESEARCH (TAG \"a1\") UID COUNT 2\r\n"));
}

TEST_CASE("the line that fails is named") {
  const Judged wrong = judged("    * 2 EXPUNGE\n    * 9 EXISTS\n    OK\n", expunged);
  CHECK(wrong.line == 5);
  CHECK(wrong.reason == "did not come: line 5: * 9 EXISTS");
  CHECK(judged("    closed\n", "* BYE gone\r\n").line == 4);
  CHECK(judged("    closed\n", "* BYE gone\r\n", true).line == 0);
}

TEST_CASE("an answer satisfies when all that must come is there, and binds nothing") {
  Variables variables;
  const Fixtures fixtures;
  Judge judge(variables, fixtures);
  const std::vector<Expectation> lines = expectations("    * $n EXISTS\n    not * _ FETCH ...\n    nothing else\n");
  CHECK_FALSE(judge.satisfied(lines, answer_of("* 2 EXPUNGE\r\n")));
  CHECK(judge.satisfied(lines, answer_of(expunged)));
  CHECK(variables.empty());
}
