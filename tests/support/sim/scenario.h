// Scenarios of the power-cut simulation, and the search through all their faults.
//
// A scenario is a few calls on an account. It is run once to the end to count its calls, then again with the power cut
// at each change in turn and with each call failing in turn; each cut disk is switched on again under several survival
// plans, and what is found must be what the client was told, or that and all of the one call that was under way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim/machine.h"
#include "tests/support/sim/mail_state.h"

namespace postkeep::test {

// One thing that a client asks for.
struct Step {
  std::string name;
  // Asks; gives the UIDs of the messages without UID that `effect` leaves, in that order.
  std::function<Result<std::vector<Uid>>(Machine&, const MailState& before)> run;
  // What it changes when it is done.
  std::function<void(MailState&)> effect;
};

enum class Index { kept, lost };  // is index.sqlite still there when the machine is switched on again?

struct Scenario {
  std::string name;
  std::vector<Step> steps;
  Index index = Index::kept;
};

struct Tally {
  std::uint64_t cuts = 0;           // power cuts tried
  std::uint64_t survivals = 0;      // cuts x plans looked at
  std::uint64_t faults = 0;         // failing calls tried
  std::vector<std::string> broken;  // each broken promise, in words

  void add(const Tally& other);
};

struct SearchOptions {
  std::uint64_t random_plans = 3;  // besides "nothing survives" and "everything survives"
  std::uint64_t seed = 1;
  std::uint64_t part = 0, parts = 1;  // only the points whose number modulo `parts` is `part`, if they are to be shared
  std::optional<Laziness> laziness;
  bool with_faults = true;      // each call failing, too
  bool with_trace = false;      // adds the calls of a broken try to its report
  std::size_t broken_max = 20;  // stop after so many
};

// `base`: a disk with an account that was stopped cleanly. Not changed.
Tally search(const Scenario& scenario, const SimulatedDisk& base, const SearchOptions& options);

}  // namespace postkeep::test
