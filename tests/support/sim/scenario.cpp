#include "tests/support/sim/scenario.h"

#include <algorithm>
#include <cerrno>

#include "storage/maildir/intent.h"

namespace postkeep::test {
namespace {

using Kind = SurvivalPlan::Kind;

// What the client knows when the machine stops.
struct Knowledge {
  std::vector<MailState> states;  // as told: at first, and after each step that was answered with OK
  bool under_way = false;         // one more step was begun
  MailState maybe;                // what it leaves, if so
  const MailState& told() const { return states.back(); }
};

// Takes the UIDs into the messages that have none yet.
void assign(MailState& state, const std::vector<Uid>& uids) {
  auto next = uids.begin();
  for (auto& [name, mailbox] : state) {
    for (KnownMessage& message : mailbox.messages) {
      if (!message.uid && next != uids.end()) message.uid = *next++;
    }
  }
}

// The counters as a client that asks sees them.
Outcome learn_counters(Machine& machine, MailState& state) {
  for (auto& [name, mailbox] : state) {
    const auto found = TRY(machine.account().find_mailbox(MailboxName::from_utf8(name).value()));
    const auto version = TRY(machine.account().version(found.id));
    mailbox.id = found.id;
    mailbox.uid_validity = version->facts().uid_validity;
    mailbox.uid_next = version->facts().uid_next;
    mailbox.highest_modseq = version->facts().highest_modseq;
  }
  return {};
}

// Runs the steps until one is not answered with OK.
Knowledge run_steps(Machine& machine, const Scenario& scenario, const MailState& before) {
  Knowledge known;
  known.states.push_back(before);
  for (const Step& step : scenario.steps) {
    MailState after = known.told();
    step.effect(after);
    const Result<std::vector<Uid>> uids = step.run(machine, known.told());
    if (!uids || !machine.is_on()) {
      known.under_way = true;
      known.maybe = std::move(after);
      return known;
    }
    assign(after, *uids);
    known.states.push_back(after);
    if (learn_counters(machine, after) && machine.is_on()) known.states.back() = std::move(after);
  }
  return known;
}

// Judges one disk that was switched on again.
class Judge {
 public:
  Judge(const Scenario& scenario, const Knowledge& known, std::string where, Tally& tally)
      : scenario_(scenario), known_(known), where_(std::move(where)), tally_(tally) {}

  void judge(std::unique_ptr<SimulatedDisk> disk) {
    if (scenario_.index == Index::lost) lose_index(*disk);
    Machine machine(std::move(disk));
    if (const Outcome started = machine.start(); !started) return broken("does not start: " + started.error().detail);
    const Result<MailState> found = observe(machine.account());
    if (!found) return broken("cannot be read: " + found.error().text + ": " + found.error().detail);
    check_mail(*found);
    for (const auto& [name, mailbox] : *found) check_counters(name, mailbox);
    check_goes_on(machine, *found);
  }

 private:
  void broken(const std::string& what) { tally_.broken.push_back(scenario_.name + ", " + where_ + ": " + what); }

  void check_mail(const MailState& found) {
    // Flags are promised to outlive the index only once they are in the names (design, promise 4).
    const FlagsAre flags = scenario_.index == Index::kept ? FlagsAre::exact : FlagsAre::any_known;
    const std::string as_told = difference(known_.told(), found, flags, known_.states);
    if (as_told.empty()) return;
    if (!known_.under_way) return broken(as_told);
    std::vector<MailState> earlier = known_.states;
    const std::string as_done = difference(known_.maybe, found, flags, earlier);
    if (!as_done.empty()) broken("neither as told (" + as_told + ") nor as under way (" + as_done + ")");
  }

  void check_counters(const std::string& name, const KnownMailbox& found) {
    const auto told = known_.told().find(name);
    if (told == known_.told().end()) return;
    const KnownMailbox& before = told->second;
    if (found.highest_modseq < before.highest_modseq) broken(name + ": HIGHESTMODSEQ ran backwards");
    if (found.uid_next < before.uid_next) broken(name + ": UIDNEXT ran backwards");
    for (const KnownMessage& message : found.messages) {
      const KnownMessage* known = ever_told(name, *message.uid);
      if (known != nullptr && known->content != message.content) {
        broken(name + ": UID " + std::to_string(message.uid->value()) + " was given twice");
      }
      const bool is_as_told = known != nullptr && known->flags == message.flags;
      if (!is_as_told && message.modseq <= before.highest_modseq) {
        broken(name + ": UID " + std::to_string(message.uid->value()) + " changed without a new MODSEQ");
      }
      if (known == nullptr && !was_there_without_uid(name, message) && *message.uid < before.uid_next) {
        broken(name + ": a new message got UID " + std::to_string(message.uid->value()) + " below UIDNEXT");
      }
    }
  }

  const KnownMessage* ever_told(const std::string& name, Uid uid) const {
    for (auto state = known_.states.rbegin(); state != known_.states.rend(); ++state) {
      const auto mailbox = state->find(name);
      if (mailbox == state->end()) continue;
      if (const KnownMessage* message = mailbox->second.find(uid); message != nullptr) return message;
    }
    return nullptr;
  }

  bool was_there_without_uid(const std::string& name, const KnownMessage& message) const {
    const auto mailbox = known_.states.front().find(name);
    if (mailbox == known_.states.front().end()) return false;
    return std::any_of(mailbox->second.messages.begin(), mailbox->second.messages.end(),
                       [&](const KnownMessage& m) { return !m.uid && m.content == message.content; });
  }

  // The account works on: a new message gets a new UID and MODSEQ, and all is as before after a clean stop.
  void check_goes_on(Machine& machine, const MailState& found) {
    const auto inbox = found.find("INBOX");
    if (inbox == found.end()) return broken("no INBOX");
    const std::string content = "Subject: afterwards\r\n\r\n";
    const Result<Uid> uid = append_one(machine, inbox->second.id, content);
    if (!uid) return broken("takes no mail: " + uid.error().detail);
    if (ever_told("INBOX", *uid) != nullptr || *uid < inbox->second.uid_next) {
      return broken("INBOX: UID " + std::to_string(uid->value()) + " was given again");
    }
    if (const Outcome done = machine.run_background(); !done) return broken("background: " + done.error().detail);
    if (const Outcome stopped = machine.stop(); !stopped) return broken("does not stop: " + stopped.error().detail);
    check_tidy(machine.disk());
    if (const Outcome started = machine.start(); !started) return broken("starts once: " + started.error().detail);
    MailState expected = found;
    expected["INBOX"].messages.push_back(KnownMessage{*uid, content, "", std::nullopt, ModSeq()});
    const Result<MailState> again = observe(machine.account());
    if (!again) return broken("cannot be read again: " + again.error().detail);
    const std::string differs = difference(expected, *again, FlagsAre::exact, {});
    if (!differs.empty()) broken("other after a clean stop: " + differs);
  }

  static Result<Uid> append_one(Machine& machine, MailboxId mailbox, const std::string& content) {
    storage::AppendItem item;
    item.message = TRY(machine.account().begin_incoming(content.size()));
    TRY(item.message->write(content));
    TRY(item.message->finish());
    const storage::AppendResult result = TRY(machine.account().append(mailbox, {item}));
    return result.uids.min();
  }

  // Nothing is left of what was under way.
  void check_tidy(SimulatedDisk& disk) {
    const auto intents = storage::maildir::list_intents(disk, Machine::account_path);
    if (!intents || !intents->intents.empty() || !intents->torn.empty()) broken("an intent is left");
    const auto spooled = disk.list(std::string(Machine::data_dir) + "/spool");
    if (spooled && !spooled->empty()) broken("the spool is not empty");
  }

  const Scenario& scenario_;
  const Knowledge& known_;
  std::string where_;
  Tally& tally_;
};

class Search {
 public:
  Search(const Scenario& scenario, const SimulatedDisk& base, const SearchOptions& options)
      : scenario_(scenario), base_(base), options_(options) {}

  Tally run() {
    Machine machine(base_.clone());
    if (!start(machine)) return tally_;
    const Knowledge known = run_steps(machine, scenario_, before_);
    if (known.under_way) {
      tally_.broken.push_back(scenario_.name + " does not work on a disk without faults, after " +
                              std::to_string(known.states.size() - 1) + " steps");
      return tally_;
    }
    const std::uint64_t calls = machine.disk().calls();
    const std::uint64_t changes = machine.disk().changes();
    for (std::uint64_t change = 1; change <= changes + 1 && !is_enough(); ++change) {
      if (is_mine(change)) cut_at(change);
    }
    if (!options_.with_faults) return tally_;
    for (std::uint64_t call = 1; call <= calls && !is_enough(); ++call) {
      if (is_mine(call)) fail_at(call);
    }
    return tally_;
  }

 private:
  bool is_mine(std::uint64_t point) const { return point % options_.parts == options_.part; }
  bool is_enough() const { return tally_.broken.size() >= options_.broken_max; }

  // Starts a machine and looks at everything once, as a client that is there would have. Counting begins then.
  bool start(Machine& machine) {
    const Outcome started = machine.start();
    Result<MailState> found = started ? observe(machine.account()) : tl::unexpected<Error>(started.error());
    if (!found) {
      tally_.broken.push_back(scenario_.name + " cannot begin: " + found.error().text + ": " + found.error().detail);
      return false;
    }
    before_ = std::move(*found);
    machine.disk().reset_counts();
    return true;
  }

  void cut_at(std::uint64_t change) {
    const std::size_t broken_before = tally_.broken.size();
    Machine machine(base_.clone(), options_.laziness);
    if (!start(machine)) return;
    if (options_.with_trace) machine.disk().start_trace();
    machine.disk().cut_power_at(change);
    const Knowledge known = run_steps(machine, scenario_, before_);
    ++tally_.cuts;
    judge_all_plans(machine, known, "power cut at change " + std::to_string(change));
    if (tally_.broken.size() > broken_before) add_trace(machine);
  }

  void add_trace(Machine& machine) {
    for (const std::string& line : machine.disk().trace()) tally_.broken.back() += "\n      " + line;
  }

  void judge_all_plans(Machine& machine, const Knowledge& known, const std::string& where) {
    // Cut, if it was not: what is not synced now is in doubt.
    judge_plan(machine, known, {Kind::nothing, 0}, where + ", nothing survives");
    judge_plan(machine, known, {Kind::everything, 0}, where + ", everything survives");
    for (std::uint64_t i = 0; i < options_.random_plans; ++i) {
      const std::uint64_t seed = options_.seed * 1'000'003 + i;
      judge_plan(machine, known, {Kind::random, seed}, where + ", random " + std::to_string(seed));
    }
  }

  void judge_plan(Machine& machine, const Knowledge& known, const SurvivalPlan& plan, const std::string& where) {
    ++tally_.survivals;
    Judge(scenario_, known, where, tally_).judge(machine.disk().after_power_cut(plan));
  }

  void fail_at(std::uint64_t call) {
    const int error_number = call % 2 == options_.seed % 2 ? EIO : ENOSPC;
    const std::string where =
        "call " + std::to_string(call) + " fails with " + (error_number == EIO ? "EIO" : "ENOSPC");
    const std::size_t broken_before = tally_.broken.size();
    Machine machine(base_.clone(), options_.laziness);
    if (!start(machine)) return;
    if (options_.with_trace) machine.disk().start_trace();
    machine.disk().fail_at(call, error_number);
    const Knowledge known = run_steps(machine, scenario_, before_);
    ++tally_.faults;
    // The disk is well again; what was refused has not happened, or all of it has (the last call of several may fail
    // after the change was made), and the account goes on.
    const Result<MailState> found = observe(machine.account());
    if (!found) {
      tally_.broken.push_back(scenario_.name + ", " + where + ": does not recover: " + found.error().detail);
    } else if (const std::string differs = difference(known.told(), *found, FlagsAre::exact, {});
               !differs.empty() && !(known.under_way && difference(known.maybe, *found, FlagsAre::exact, {}).empty())) {
      tally_.broken.push_back(scenario_.name + ", " + where + ": not as told: " + differs);
    }
    judge_plan(machine, known, {Kind::nothing, 0}, where + ", then nothing survives");
    judge_plan(machine, known, {Kind::random, options_.seed + call}, where + ", then random");
    if (tally_.broken.size() > broken_before) add_trace(machine);
  }

  const Scenario& scenario_;
  const SimulatedDisk& base_;
  const SearchOptions& options_;
  MailState before_;
  Tally tally_;
};

}  // namespace

void Tally::add(const Tally& other) {
  cuts += other.cuts;
  survivals += other.survivals;
  faults += other.faults;
  broken.insert(broken.end(), other.broken.begin(), other.broken.end());
}

Tally search(const Scenario& scenario, const SimulatedDisk& base, const SearchOptions& options) {
  return Search(scenario, base, options).run();
}

}  // namespace postkeep::test
