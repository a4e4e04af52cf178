// The search through all the faults of a scenario.
//
// The scenario is run once to the end to count its calls, then again with the power cut at each change in turn and with
// each call failing in turn. Each cut disk is switched on again under several survival plans, and what is found must be
// what the client was told, or that and all of the one step that was under way. From a sample of the cuts the machine
// is cut again, or has a call fail, while it recovers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/sim/judge.h"

namespace postkeep::test {

struct SearchOptions {
  std::uint64_t rounds = 1;           // so many times as many random plans, kinds of errors and cuts during recovery
  std::uint64_t seed = 1;             // of all that is random
  std::uint64_t part = 0, parts = 1;  // only the points whose number modulo `parts` is `part`, if they are to be shared
  std::optional<std::uint64_t> only_cut, only_call;  // only this change, only this call
  const Breakage* breakage = nullptr;
  bool with_trace = false;      // adds the calls of a broken try to its report
  std::size_t broken_max = 20;  // stop after so many
};

// `base`: a disk as base_disk() gives. Not changed.
Tally search(const Scenario& scenario, const SimulatedDisk& base, const SearchOptions& options);

}  // namespace postkeep::test
