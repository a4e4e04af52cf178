#include "conformance/runner/requirements.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

std::vector<Requirement> requirements() {
  return must(parse_requirements("r", R"(# §1
9051-1-1  MUST  server
  The first
  demand.

9051-1-2  MUST NOT  client
  The second.

9051-1.1-1  SHOULD  both
  The third.
  not proved: nobody
  can see it.
)"));
}

std::vector<Script> scripts(const std::string& proves) {
  return {must(parse_script("s", "script t\ncase c\n  proves " + proves + "\n  A: NOOP\n    OK\n"))};
}

}  // namespace

TEST_CASE("clauses are read with whom they bind and why they are not proved") {
  const std::vector<Requirement> all = requirements();
  REQUIRE(all.size() == 3);
  CHECK(all[0].demand == "The first demand.");
  CHECK(all[1].keyword == "MUST NOT");
  CHECK_FALSE(all[1].binds_server());
  CHECK(all[2].binds_server());
  CHECK(all[2].reason == "nobody can see it.");
  CHECK_FALSE(parse_requirements("r", "9051-1-1 MIGHT server\n  x\n").has_value());
}

TEST_CASE("the check finds what is not proved, proved in spite of a reason, or does not exist") {
  CHECK(check(requirements(), scripts("9051-1-1")).empty());
  CHECK(check(requirements(), scripts("9051-1-2")).size() == 1);
  CHECK(check(requirements(), scripts("9051-1-1 9051-1.1-1")).size() == 1);
  CHECK(check(requirements(), scripts("9051-1-1 9051-9-9")).size() == 1);
}

TEST_CASE("the table counts by section") {
  const std::string table = coverage(requirements(), scripts("9051-1-1"));
  CHECK(table.find("| RFC 9051 §1 | 2 | 1 | 1 |") != std::string::npos);
  CHECK(table.find("| RFC 9051 §1.1 | 1 | 1 | 0 |") != std::string::npos);
  CHECK(table.find("| **all** | 3 | 2 | 1 |") != std::string::npos);
  CHECK(table.find("nobody can see it") != std::string::npos);
}
