// Scenarios of the power-cut simulation: what is asked of a machine, and what the client knows of it at each moment.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sim/mail_state.h"

namespace postkeep::test {

// One thing that a client asks for.
struct Step {
  std::string name;
  // Asks; gives the UIDs of the messages without UID that `effect` leaves, in that order.
  std::function<Result<std::vector<Uid>>(Machine&, const MailState& before)> run;
  // What it changes when it is done.
  std::function<void(MailState&)> effect;
  // What else it may leave if it is not answered, where nothing promises all or nothing.
  std::vector<std::function<void(MailState&)>> halves;
  bool writes_flags = false;  // when it is done all flags are in the names
};

// What becomes of index.sqlite before the machine is switched on again. older: that of before `prepare` is put back.
enum class Index { kept, lost, older };

struct Scenario {
  std::string name;
  std::vector<Step> steps;
  Index index = Index::kept;
  std::vector<std::string> users = {"anna"};
  std::vector<std::string> newcomers = {};  // users whose accounts a step opens
  bool makes_mailboxes = false;             // ids and UIDVALIDITYs of mailboxes made afterwards are looked at
  // Done to the base disk beforehand. The machine is stopped cleanly afterwards, unless it was halted.
  std::function<void(Machine&)> prepare = nullptr;
};

// What the client knows when the machine stops.
struct Knowledge {
  std::vector<MailState> states;  // as told: at first, and after each step that was answered with OK
  std::vector<MailState> maybe;   // what the step under way may leave, if there is one
  std::size_t settled = 0;        // the last of `states` whose flags are in the names
  std::optional<Error> refused;   // why it was, if it was answered
  std::string step;               // its name
  std::shared_ptr<const IndexFiles> older_index;

  const MailState& told() const { return states.back(); }
  // A message whose flags are not in its name may have those of any of these when the index is lost (design, promise
  // 4).
  std::vector<MailState> unsettled() const {
    return {states.begin() + static_cast<std::ptrdiff_t>(settled), states.end()};
  }
};

// Does to the indexes what the scenario says, on a disk on which nothing runs.
void spoil_index(const Scenario& scenario, const Knowledge& known, SimulatedDisk& disk);

// Runs the steps until one is not answered with OK.
Knowledge run_steps(Machine& machine, const Scenario& scenario, const MailState& before);

// tests/support/sim/all_scenarios.cpp has them.
std::vector<Scenario> all_scenarios();
// An account "anna" with INBOX (1 to 6 ours, 7 and 8 by another program), Archive (9, 10) and Archive/2020 (11), and
// "bert" with INBOX (12), stopped cleanly.
std::unique_ptr<SimulatedDisk> base_disk();

}  // namespace postkeep::test
