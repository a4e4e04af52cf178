#include "tests/support/sim/search.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace postkeep::test {
namespace {

using Kind = SurvivalPlan::Kind;

constexpr std::uint64_t plans_per_round = 3;        // besides "nothing survives" and "everything survives"
constexpr std::uint64_t recovered_one_in = 6;       // cuts from which recovery is cut, too
constexpr std::uint64_t recovery_cuts_a_round = 4;  // of each such recovery
constexpr std::uint64_t recovery_faults_a_round = 3;

constexpr std::pair<int, const char*> errors[] = {
    {EIO, "EIO"}, {ENOSPC, "ENOSPC"}, {EMFILE, "EMFILE"}, {EDQUOT, "EDQUOT"}};

// splitmix64: a number that two others give, for choices that can be made again.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a * 0x9e3779b97f4a7c15 + b;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class Search {
 public:
  Search(const Scenario& scenario, const SimulatedDisk& base, const SearchOptions& options)
      : scenario_(scenario), base_(base.clone()), options_(options) {}

  Tally run() {
    if (scenario_.index == Index::older) older_index_ = std::make_shared<const IndexFiles>(index_files(*base_));
    if (scenario_.prepare) prepare();
    Machine machine(base_->clone(), options_.breakage, scenario_.users);
    if (!start(machine)) return tally_;
    const Knowledge known = run_steps(machine, scenario_, before_);
    if (!known.maybe.empty()) {
      tally_.broken.push_back(scenario_.name + " does not work on a disk without faults: " + known.step + ": " +
                              (known.refused ? known.refused->detail : ""));
      return tally_;
    }
    const std::uint64_t calls = machine.disk().calls();
    const std::uint64_t changes = machine.disk().changes();
    for (std::uint64_t change = 1; change <= changes + 1 && !is_enough(); ++change) {
      if (is_mine(change, options_.only_cut, options_.only_call)) cut_at(change);
    }
    for (std::uint64_t call = 1; call <= calls && !is_enough(); ++call) {
      if (!is_mine(call, options_.only_call, options_.only_cut)) continue;
      for (std::uint64_t round = 0; round < std::min<std::uint64_t>(options_.rounds, std::size(errors)); ++round) {
        fail_at(call, round);
      }
    }
    return tally_;
  }

 private:
  using Only = std::optional<std::uint64_t>;
  bool is_mine(std::uint64_t point, const Only& only, const Only& other) const {
    if (only || other) return only == point;
    return point % options_.parts == options_.part;
  }
  bool is_enough() const { return tally_.broken.size() >= options_.broken_max; }

  std::string replay(const char* kind, std::uint64_t point) const {
    return "[POSTKEEP_SIM_ONLY='" + scenario_.name + "' POSTKEEP_SIM_SEED=" + std::to_string(options_.seed) +
           " POSTKEEP_SIM_POINT=" + kind + ":" + std::to_string(point) + "] ";
  }

  void prepare() {
    Machine machine(base_->clone());
    const Outcome prepared = machine.start();
    if (prepared) scenario_.prepare(machine);
    if (machine.is_on()) (void)machine.stop();
    base_ = machine.disk().clone();
  }

  // Starts a machine and looks at everything once, as a client that is there would have. Counting begins then.
  bool start(Machine& machine) {
    const Outcome started = machine.start();
    Result<MailState> found = started ? observe(machine) : tl::unexpected<Error>(started.error());
    if (!found) {
      tally_.broken.push_back(scenario_.name + " cannot begin: " + found.error().text + ": " + found.error().detail);
      return false;
    }
    before_ = std::move(*found);
    for (const std::string& user : scenario_.newcomers) {
      before_.mailboxes[address_text(user, MailboxName::inbox())] = KnownMailbox();
    }
    machine.disk().reset_counts();
    if (options_.with_trace) machine.disk().start_trace();
    return true;
  }

  Knowledge steps_on(Machine& machine) const {
    Knowledge known = run_steps(machine, scenario_, before_);
    known.older_index = older_index_;
    return known;
  }

  // --- The power is cut ---

  void cut_at(std::uint64_t change) {
    const std::size_t broken_before = tally_.broken.size();
    Machine machine(base_->clone(), options_.breakage, scenario_.users);
    if (!start(machine)) return;
    machine.disk().cut_power_at(change);
    const Knowledge known = steps_on(machine);
    ++tally_.cuts;
    const std::string where = replay("cut", change) + "power cut at change " + std::to_string(change);
    // Cut, if it was not: what is not synced now is in doubt.
    judge_plan(machine, known, {Kind::nothing, 0}, where + ", nothing survives");
    judge_plan(machine, known, {Kind::everything, 0}, where + ", everything survives");
    for (std::uint64_t i = 0; i < plans_per_round * options_.rounds; ++i) {
      const std::uint64_t seed = mixed(mixed(options_.seed, change), i);
      judge_plan(machine, known, {Kind::random, seed}, where + ", random " + std::to_string(seed));
    }
    const std::uint64_t choice = mixed(options_.seed, change);
    if (choice % recovered_one_in < options_.rounds || options_.only_cut)
      disturb_recovery(machine, known, where, choice);
    if (tally_.broken.size() > broken_before) add_trace(machine);
  }

  void add_trace(Machine& machine) {
    for (const std::string& line : machine.disk().trace()) tally_.broken.back() += "\n      " + line;
  }

  void judge_plan(Machine& machine, const Knowledge& known, const SurvivalPlan& plan, const std::string& where) {
    ++tally_.survivals;
    Judge(scenario_, known, where, tally_).judge(machine.disk().after_power_cut(plan));
  }

  // --- The machine is recovering ---

  void disturb_recovery(Machine& machine, const Knowledge& known, const std::string& where, std::uint64_t choice) {
    const auto disk = machine.disk().after_power_cut({Kind::random, choice});
    spoil_index(scenario_, known, *disk);
    Machine whole(disk->clone(), options_.breakage, all_users(scenario_));
    if (!whole.start() || !observe(whole) || !whole.run_background()) return;  // judged before
    const std::uint64_t changes = whole.disk().changes();
    const std::uint64_t calls = whole.disk().calls();
    const std::string recovering = where + ", random " + std::to_string(choice) + ", then recovery: ";
    for (std::uint64_t i = 0; i < recovery_cuts_a_round * options_.rounds && !is_enough(); ++i) {
      cut_recovery(*disk, known, 1 + mixed(choice, 2 * i) % changes, recovering);
    }
    for (std::uint64_t i = 0; i < recovery_faults_a_round * options_.rounds && !is_enough(); ++i) {
      fail_recovery(*disk, known, 1 + mixed(choice, 2 * i + 1) % calls, recovering);
    }
  }

  // What the first recovery told its client stands from then on.
  static Knowledge with(const Knowledge& known, const MailState& found) {
    Knowledge more = known;
    more.states.push_back(found);
    more.maybe.clear();
    return more;
  }

  void cut_recovery(const SimulatedDisk& disk, const Knowledge& known, std::uint64_t change, const std::string& where) {
    Machine machine(disk.clone(), options_.breakage, all_users(scenario_));
    machine.disk().cut_power_at(change);
    const Outcome started = machine.start();
    const Result<MailState> found = started ? observe(machine) : tl::unexpected<Error>(started.error());
    const bool was_told = found && machine.is_on();
    if (was_told) (void)machine.run_background();
    ++tally_.recovery_cuts;
    const Knowledge now = was_told ? with(known, *found) : known;
    const std::string here = where + "power cut at change " + std::to_string(change);
    judge_plan(machine, now, {Kind::nothing, 0}, here + ", nothing survives");
    const std::uint64_t seed = mixed(options_.seed, change);
    judge_plan(machine, now, {Kind::random, seed}, here + ", random " + std::to_string(seed));
  }

  void fail_recovery(const SimulatedDisk& disk, const Knowledge& known, std::uint64_t call, const std::string& where) {
    const auto [error_number, error_name] = errors[mixed(options_.seed, call) % std::size(errors)];
    const std::string here = where + "call " + std::to_string(call) + " fails with " + error_name;
    Judge judge(scenario_, known, here, tally_);
    Machine machine(disk.clone(), options_.breakage, all_users(scenario_));
    machine.disk().fail_likely_at(call, error_number);
    ++tally_.recovery_faults;
    const Outcome started = machine.start();
    const bool was_started = started.has_value();
    if (!was_started) {
      judge.check_error(started.error(), machine.disk().failed_with());
      machine.halt();
      if (const Outcome again = machine.start(); !again) return judge.broken("does not start: " + again.error().detail);
    }
    Result<MailState> found = observe(machine);
    if (!found) {
      judge.check_error(found.error(), machine.disk().failed_with());
      found = observe(machine);
    }
    if (!found) return judge.broken("cannot be read: " + found.error().detail);
    judge.check_mail(*found);
    // The process that saw it fail ended with that, and no other can know that the names were not made durable.
    if (!was_started && machine.disk().failed_call() == Call::sync_directory) return;
    judge_plan(machine, with(known, *found), {Kind::nothing, 0}, here + ", then nothing survives");
  }

  // --- A call fails ---

  // The disk is well again afterwards. What was refused has not happened, or all of it has (the last call of several
  // may fail after the change was made), and the account goes on.
  void fail_at(std::uint64_t call, std::uint64_t round) {
    const std::uint64_t choice = mixed(options_.seed, call);
    const auto [error_number, error_name] = errors[(choice + round) % std::size(errors)];
    const std::string where = replay("call", call) + "call " + std::to_string(call) + " fails with " + error_name;
    const std::size_t broken_before = tally_.broken.size();
    Machine machine(base_->clone(), options_.breakage, scenario_.users);
    if (!start(machine)) return;
    machine.disk().fail_likely_at(call, error_number);
    machine.disk().shorten_failed_writes(static_cast<unsigned>(choice >> 8) % 4);
    const Knowledge known = steps_on(machine);
    ++tally_.faults;
    Judge judge(scenario_, known, where, tally_);
    if (known.refused) judge.check_error(*known.refused, machine.disk().failed_with());
    for (const std::string& user : all_users(scenario_)) {
      if (!machine.accounts().contains(user)) (void)machine.open(user);
    }
    const Result<MailState> found = observe(machine);
    if (found) {
      check_exactly(judge, known, *found);
    } else {
      judge.broken("does not recover: " + found.error().detail);
    }
    judge_plan(machine, known, {Kind::nothing, 0}, where + ", then nothing survives");
    judge_plan(machine, known, {Kind::random, choice}, where + ", then random " + std::to_string(choice));
    if (found) judge.check_goes_on(machine, *found);
    if (tally_.broken.size() > broken_before) add_trace(machine);
  }

  // The index is there, whatever the scenario says of it.
  static void check_exactly(Judge& judge, const Knowledge& known, const MailState& found) {
    const std::string as_told = difference(known.told(), found, FlagsAre::exact, {});
    const bool is_done = std::any_of(known.maybe.begin(), known.maybe.end(), [&](const MailState& maybe) {
      return difference(maybe, found, FlagsAre::exact, {}).empty();
    });
    if (!as_told.empty() && !is_done) judge.broken("not as told: " + as_told);
  }

  const Scenario& scenario_;
  std::unique_ptr<SimulatedDisk> base_;
  const SearchOptions& options_;
  MailState before_;
  std::shared_ptr<const IndexFiles> older_index_;
  Tally tally_;
};

}  // namespace

Tally search(const Scenario& scenario, const SimulatedDisk& base, const SearchOptions& options) {
  return Search(scenario, base, options).run();
}

}  // namespace postkeep::test
