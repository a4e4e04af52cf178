// What the environment says about the search; tests/sim/power_cut_test.cpp lists it.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/sim/search.h"

namespace postkeep::test {

inline std::uint64_t number_setting(const char* name, std::uint64_t otherwise) {
  const char* wanted = std::getenv(name);
  const long number = wanted != nullptr ? std::strtol(wanted, nullptr, 10) : 0;
  return number > 0 ? static_cast<std::uint64_t>(number) : otherwise;
}

// POSTKEEP_SIM_PART as a pair of part and parts; {0, 1} if it is not set.
inline std::pair<unsigned, unsigned> part_setting() {
  const char* wanted = std::getenv("POSTKEEP_SIM_PART");
  if (wanted == nullptr) return {0, 1};
  unsigned part = 0, parts = 0;
  REQUIRE(std::sscanf(wanted, "%u/%u", &part, &parts) == 2);
  REQUIRE((part >= 1 && part <= parts));
  return {part % parts, parts};
}

inline SearchOptions search_settings() {
  SearchOptions options;
  options.rounds = number_setting("POSTKEEP_SIM_ROUNDS", 1);
  options.seed = number_setting("POSTKEEP_SIM_SEED", 1);
  options.with_trace = std::getenv("POSTKEEP_SIM_TRACE") != nullptr;
  std::tie(options.part, options.parts) = part_setting();
  const char* point = std::getenv("POSTKEEP_SIM_POINT");
  unsigned long number = 0;
  if (point == nullptr) return options;
  if (std::sscanf(point, "cut:%lu", &number) == 1) options.only_cut = number;
  if (std::sscanf(point, "call:%lu", &number) == 1) options.only_call = number;
  REQUIRE((options.only_cut || options.only_call));
  return options;
}

inline std::vector<Scenario> chosen_scenarios() {
  const char* only = std::getenv("POSTKEEP_SIM_ONLY");
  std::vector<Scenario> all = all_scenarios();
  if (only != nullptr) std::erase_if(all, [&](const Scenario& scenario) { return scenario.name != only; });
  REQUIRE_FALSE(all.empty());
  return all;
}

}  // namespace postkeep::test
