#include "conformance/runner/script_check.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

std::vector<std::string> faults(const std::string& steps) {
  return script_faults({must(parse_script("s", "script t\ncase c\n" + steps))}, {{"plain", "A: b\r\n\r\n"}});
}

}  // namespace

TEST_CASE("a sound script has no faults") {
  CHECK(faults(R"(  given $box: plain
  A send t1: APPEND $box {{plain}}
  A raw: "x NO"
  A raw: "OP\r\n"
    x OK
  A await t1
    * 1 FETCH (BODY[] {{plain}})
    OK
  deliver user1: plain
  A sees nothing
  A close
)")
            .empty());
}

TEST_CASE("what would only be found when it runs, or never, is found before") {
  CHECK(faults("") == std::vector<std::string>{"s:2: c does nothing"});
  for (const char* steps :
       {"  given $box: none\n  A: NOOP\n    OK\n", "  A: X {{none}}\n    OK\n",
        "  A: X\n    * Y (a {{none}})\n    OK\n", "  A: X\n    OK [Y {{none}}]\n", "  deliver user1: none\n",
        "  A await t1\n    OK\n", "  A send t1: NOOP\n  B await t1\n    OK\n",
        "  A send t1: NOOP\n  A await t1\n    OK\n  A await t1\n    OK\n", "  A: NOOP\n", "  A close\n    OK\n",
        "  A sees nothing\n    * X\n", "  A raw: \"\\xZZ\"\n"}) {
    CAPTURE(steps);
    CHECK(faults(steps).size() == 1);
  }
}
