#include "tests/support/sim/scenario.h"

namespace postkeep::test {
namespace {

// Takes the UIDs into the messages that have none yet.
void assign(MailState& state, const std::vector<Uid>& uids) {
  auto next = uids.begin();
  for (auto& [name, mailbox] : state.mailboxes) {
    for (KnownMessage& message : mailbox.messages) {
      if (!message.uid && next != uids.end()) message.uid = *next++;
    }
  }
}

// The counters as a client that asks sees them.
Outcome learn_counters(Machine& machine, MailState& state) {
  for (auto& [name, mailbox] : state.mailboxes) {
    const std::string user = address_of(name).user;
    if (!machine.accounts().contains(user)) continue;
    const auto found = TRY(machine.find(name));
    const auto version = TRY(machine.account(user).version(found.id));
    mailbox.id = found.id;
    mailbox.uid_validity = version->facts().uid_validity;
    mailbox.uid_next = version->facts().uid_next;
    mailbox.highest_modseq = version->facts().highest_modseq;
  }
  return {};
}

}  // namespace

void spoil_index(const Scenario& scenario, const Knowledge& known, SimulatedDisk& disk) {
  if (scenario.index == Index::kept) return;
  lose_index(disk);
  if (scenario.index == Index::older) put_index_back(disk, *known.older_index);
}

Knowledge run_steps(Machine& machine, const Scenario& scenario, const MailState& before) {
  Knowledge known;
  known.states.push_back(before);
  for (const Step& step : scenario.steps) {
    MailState after = known.told();
    step.effect(after);
    const Result<std::vector<Uid>> uids = step.run(machine, known.told());
    if (!uids || !machine.is_on()) {
      known.maybe.push_back(std::move(after));
      for (const auto& half : step.halves) {
        known.maybe.push_back(known.told());
        half(known.maybe.back());
      }
      known.step = step.name;
      if (!uids && machine.is_on()) known.refused = uids.error();
      return known;
    }
    assign(after, *uids);
    known.states.push_back(after);
    if (step.writes_flags) known.settled = known.states.size() - 1;
    if (learn_counters(machine, after) && machine.is_on()) known.states.back() = std::move(after);
  }
  return known;
}

}  // namespace postkeep::test
