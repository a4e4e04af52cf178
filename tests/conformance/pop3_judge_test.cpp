#include "conformance/runner/pop3_judge.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

const std::string message = "A: b\r\n\r\none\r\ntwo\r\n";

struct Outcomes {
  std::string reason;  // "": it is as the lines say
  int line = 0;
  bool ends = false;
  Variables variables;
};

Outcomes judged(const std::vector<std::string>& lines, const Pop3Reply& reply, Variables variables = {}) {
  const Fixtures fixtures{{"mail", message}};
  std::vector<Pop3Expectation> expectations;
  for (const std::string& line : lines) {
    expectations.push_back(must(parse_pop3_expectation(line, static_cast<int>(expectations.size()) + 1)));
  }
  Outcomes outcomes;
  outcomes.variables = std::move(variables);
  Pop3Judge judge(outcomes.variables, fixtures);
  outcomes.ends = judge.may_end(expectations, reply);
  const Outcome outcome = judge.judge(expectations, reply);
  if (!outcome) outcomes.reason = outcome.error().text;
  outcomes.line = judge.failed_line();
  return outcomes;
}

bool passes(const std::vector<std::string>& lines, const Pop3Reply& reply) {
  return judged(lines, reply).reason.empty();
}

Pop3Reply replied(const std::string& status, std::vector<std::string> lines = {}) {
  Pop3Reply reply;
  reply.statuses.push_back(status);
  reply.lines = std::move(lines);
  reply.octets = status + "\r\n" + reply.content();
  return reply;
}

}  // namespace

TEST_CASE("a reply is compared by its kind, code and words") {
  CHECK(passes({"OK"}, replied("+OK done")));
  CHECK(passes({"OK"}, replied("+OK")));
  CHECK_FALSE(passes({"ERR"}, replied("+OK")));
  CHECK(passes({"OK 2 320"}, replied("+OK 2 320")));
  CHECK_FALSE(passes({"OK 2 320"}, replied("+OK 2 3200")));
  CHECK_FALSE(passes({"OK 2 320"}, replied("+OK 2 320 octets")));
  CHECK(passes({"OK 2 320 ..."}, replied("+OK 2 320 octets")));
  CHECK_FALSE(passes({"OK 2 320"}, replied("+OK  2 320")));
  CHECK(passes({"ERR [auth]"}, replied("-ERR [AUTH] no")));
  CHECK_FALSE(passes({"ERR [AUTH]"}, replied("-ERR no [AUTH]")));
  CHECK(passes({"ERR [IN-USE]|ERR [SYS/TEMP]"}, replied("-ERR [SYS/TEMP]")));
  CHECK(judged({"OK $n _"}, replied("+OK 7 x")).variables.at("n") == "7");
  CHECK(judged({"OK $n _"}, replied("+OK 7 x"), {{"n", "8"}}).reason == "did not come: line 1: OK $n _");
}

TEST_CASE("lines are looked for anywhere, each once, or behind each other") {
  const Pop3Reply reply = replied("+OK", {"1 a", "2 b", "3 a"});
  CHECK(passes({"line 3 a", "line 1 a", "lines 3"}, reply));
  CHECK(passes({"line 1 a", "then line 2 b", "then line /^3/"}, reply));
  CHECK_FALSE(passes({"line 2 b", "then line 1 a"}, reply));
  CHECK_FALSE(passes({"line 1 a", "line 1 a"}, reply));
  CHECK_FALSE(passes({"lines 2"}, reply));
  CHECK_FALSE(passes({"not line 2 b"}, reply));
  CHECK(passes({"not line 4 _"}, reply));
  CHECK_FALSE(passes({"not /^2/"}, reply));
  CHECK(passes({"line 1 /[a-c]/"}, reply));
  CHECK_FALSE(passes({"line 1 /[b-c]/"}, reply));
}

TEST_CASE("a message is compared octet for octet, its top line by line") {
  const Pop3Reply whole = replied("+OK", {"A: b", "", "one", "two"});
  CHECK(passes({"message mail", "size 18"}, whole));
  CHECK(passes({"top 2 of mail"}, whole));
  CHECK(passes({"top 9 of mail"}, whole));
  CHECK_FALSE(passes({"top 1 of mail"}, whole));
  CHECK(passes({"top 1 of mail"}, replied("+OK", {"A: b", "", "one"})));
  CHECK(passes({"top 0 of mail", "text \"A: b\\r\\n\\r\\n\""}, replied("+OK", {"A: b", ""})));
  CHECK_FALSE(passes({"message mail"}, replied("+OK", {"A: b", "", "one", "two "})));
  CHECK(judged({"size $s"}, whole).variables.at("s") == "18");
}

TEST_CASE("an optional reply ends the case, but not what must not come") {
  const Pop3Reply refused = replied("-ERR [X] no");
  CHECK(judged({"OK", "optional ERR", "line 1"}, refused).ends);
  CHECK(passes({"OK", "optional ERR", "line 1"}, refused));
  CHECK_FALSE(passes({"OK", "optional ERR", "not /X/"}, refused));
  CHECK_FALSE(judged({"OK", "optional ERR"}, replied("+OK")).ends);
  CHECK(judged({"OK", "optional ERR [Y]"}, refused).line == 1);
}

TEST_CASE("a challenge and the end of the connection") {
  Pop3Reply reply;
  CHECK_FALSE(passes({"+"}, reply));
  CHECK_FALSE(passes({"closed"}, reply));
  reply.continues = true;
  reply.closed = true;
  CHECK(passes({"+", "closed"}, reply));
}
