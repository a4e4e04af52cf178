#include "conformance/runner/requirements.h"

#include <doctest/doctest.h>

#include "conformance/runner/coverage.h"
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

TEST_CASE("the tables count by RFC and by section, and name what is not proved") {
  std::vector<Requirement> all = requirements();
  all.push_back(must(parse_requirements("s", "2177-3-1  MUST  server\n  Either a|b.\n  not proved: x|y\n"))[0]);

  const std::string by_rfc = coverage_by_rfc(all, scripts("9051-1-1"));
  CHECK(by_rfc.find("| [9051](clauses.md#rfc-9051) | 3 | 2 | 1 | 1 |\n") != std::string::npos);
  CHECK(by_rfc.find("| [2177](clauses.md#rfc-2177) | 1 | 1 | 0 | 1 |\n") != std::string::npos);
  CHECK(by_rfc.find("| **all** | 4 | 3 | 1 | 2 |\n") != std::string::npos);

  const std::string by_section = coverage_by_section(all, scripts("9051-1-1"));
  CHECK(by_section.find("## RFC 9051\n\n") == 0);
  CHECK(by_section.find("| §1 | 2 | 1 | 1 | 0 |\n| §1.1 | 1 | 1 | 0 | 1 |\n| **all** | 3 | 2 | 1 | 1 |\n") !=
        std::string::npos);
  CHECK(by_section.find("| 9051-1.1-1 | SHOULD | The third. | nobody can see it. |\n\n## RFC 2177\n") !=
        std::string::npos);
  CHECK(by_section.find("| Either a\\|b. | x\\|y |\n") != std::string::npos);
}
