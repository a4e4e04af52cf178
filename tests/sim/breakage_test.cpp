// The search itself is tried: a store that forgets a sync or swaps two steps must be caught, whichever it is.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/sim/search_settings.h"
#include "tests/support/sim/search.h"

namespace postkeep::test {
namespace {

// The scenario that is most likely to show it comes first.
std::vector<Scenario> in_order(const std::string& first) {
  std::vector<Scenario> all = all_scenarios();
  const auto at = std::find_if(all.begin(), all.end(), [&](const Scenario& each) { return each.name == first; });
  REQUIRE_MESSAGE(at != all.end(), first);
  std::rotate(all.begin(), at, at + 1);
  return all;
}

std::string first_caught(const Breakage& breakage, const SimulatedDisk& base) {
  SearchOptions options;
  options.seed = search_settings().seed;
  options.breakage = &breakage;
  options.broken_max = 1;
  for (const Scenario& scenario : in_order(breakage.scenario)) {
    const Tally tally = search(scenario, base, options);
    if (!tally.broken.empty()) return tally.broken.front();
  }
  return "";
}

TEST_CASE("a store that forgets, swaps or believes what it must not is caught by the search") {
  const auto base = base_disk();
  const auto [part, parts] = part_setting();
  std::string table;
  for (std::size_t i = 0; i < breakages().size(); ++i) {
    if (i % parts != part) continue;
    const Breakage& breakage = breakages()[i];
    const std::string caught = first_caught(breakage, *base);
    CHECK_MESSAGE(!caught.empty(), breakage.name << " is not caught");
    table += "\n  " + breakage.name + "\n      " + (caught.empty() ? "NOT CAUGHT" : caught);
  }
  MESSAGE("what is broken, and what caught it:" << table);
}

}  // namespace
}  // namespace postkeep::test
