// The power-cut simulation: everything that changes an account, with the power cut at every change and every call
// failing in turn, also while the machine recovers from that. tests/support/sim has the scenarios and says how.
//
//   POSTKEEP_SIM_ROUNDS=n    n times as many random survivals, kinds of errors and cuts during recovery
//   POSTKEEP_SIM_SEED=n      other random choices
//   POSTKEEP_SIM_PART=k/n    one point in n, beginning with the k-th
//   POSTKEEP_SIM_ONLY=name   one scenario
//   POSTKEEP_SIM_POINT=cut:n or call:n   one point of each: the power cut at that change, or that call failing
//   POSTKEEP_SIM_TRACE=1     with the calls of what is broken
//
// A broken promise is reported with the settings that show it again.
#include <doctest/doctest.h>

#include <string>

#include "storage/backends.h"
#include "tests/sim/search_settings.h"
#include "tests/support/sim/search.h"

namespace postkeep::test {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += "\n  " + line;
  return all;
}

TEST_CASE("no promise is broken by a power cut at any change or by any failing call") {
  const auto base = base_disk();
  const SearchOptions options = search_settings();
  Tally all;
  std::size_t operations = 0;
  for (const Scenario& scenario : chosen_scenarios()) {
    operations += scenario.steps.size();
    const Tally tally = search(scenario, *base, options);
    CHECK_MESSAGE(tally.broken.empty(), joined(tally.broken));
    all.add(tally);
  }
  MESSAGE("operations " << operations << ", cut points " << all.cuts << ", during recovery " << all.recovery_cuts
                        << ", failing calls " << all.faults << ", during recovery " << all.recovery_faults
                        << ", survivals looked at " << all.survivals << ", broken promises " << all.broken.size());
}

}  // namespace
}  // namespace postkeep::test
