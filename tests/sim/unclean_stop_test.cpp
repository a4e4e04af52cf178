// What the next start makes of an unclean stop, beyond what tests/sim searches for.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "tests/support/results.h"
#include "tests/support/sim/steps.h"

namespace postkeep::test {
namespace {

// anna's disk with 4, 5 and 8 on their way from INBOX to Archive: 4 is there.
std::unique_ptr<SimulatedDisk> half_moved_disk() {
  const auto move = transfer_step(Transfer::move, contents({4, 5, 8}), "Archive");
  const auto run = [&](Machine& machine, std::uint64_t cut) {
    must(machine.start());
    const MailState before = must(observe(machine));
    machine.disk().reset_counts();
    machine.disk().start_trace();
    if (cut != 0) machine.disk().cut_power_at(cut);
    (void)move.run(machine, before);
  };
  const auto base = base_disk();
  std::uint64_t second_rename = 0;
  {
    Machine whole(base->clone());
    run(whole, 0);
    int renames = 0;
    for (const std::string& line : whole.disk().trace()) {  // "<call>/<change> rename <from> to <to>"
      const bool is_move =
          line.find(" rename ") != std::string::npos && line.find("/.Archive/cur/") != std::string::npos;
      if (is_move && ++renames == 2) second_rename = std::stoull(line.substr(line.find('/') + 1));
    }
  }
  REQUIRE(second_rename != 0);
  Machine cut(base->clone());
  run(cut, second_rename);
  return cut.disk().after_power_cut({SurvivalPlan::Kind::everything, 0});
}

std::size_t count(const MailState& state, const std::string& mailbox, int number) {
  std::size_t found = 0;
  for (const KnownMessage& message : state.mailboxes.at(mailbox).messages)
    found += message.content == test::content(number);
  return found;
}

TEST_CASE("A MOVE is carried on as a whole, whichever call fails meanwhile") {
  const auto disk = half_moved_disk();
  std::uint64_t calls = 0;
  {
    Machine machine(disk->clone());
    must(machine.start());
    calls = machine.disk().calls();
  }
  for (std::uint64_t call = 2; call <= calls; ++call) {
    CAPTURE(call);
    Machine machine(disk->clone());
    machine.disk().fail_likely_at(call, EIO);
    if (!machine.start()) {
      machine.halt();
      must(machine.start());
    }
    const MailState found = must(observe(machine));
    for (const int number : {4, 5, 8}) {
      CHECK(count(found, "INBOX", number) == 0);
      CHECK(count(found, "Archive", number) == 1);
    }
  }
}

std::unique_ptr<SimulatedDisk> cut_off(Machine& machine) {
  return machine.disk().after_power_cut({SurvivalPlan::Kind::nothing, 0});
}

TEST_CASE("A special use that was changed stays so, though the index did not hear of it in time") {
  const auto archive = MailboxName::from_utf8("Archive").value();
  Machine before(base_disk());
  must(before.start());
  must(before.account().set_special_use(archive, SpecialUse::archive));
  must(before.account().set_special_use(archive, SpecialUse::trash));
  Machine after(cut_off(before));
  must(after.start());
  CHECK(must(after.account().find_mailbox(archive)).special_use == SpecialUse::trash);
}

TEST_CASE("A folder that a CREATE left half made does not become the mailbox that had its name before") {
  const auto work = MailboxName::from_utf8("Work").value();
  Machine before(base_disk());
  must(before.start());
  const storage::Mailbox old = must(before.account().create_mailbox(work, SpecialUse::junk));
  must(before.account().delete_mailbox(work));
  must(before.disk().make_directory(std::string(Machine::account_path) + "/.Work"));
  must(before.disk().make_directory(std::string(Machine::account_path) + "/.Work/cur"));
  must(before.disk().sync_directory(std::string(Machine::account_path) + "/.Work"));
  must(before.disk().sync_directory(Machine::account_path));
  Machine after(cut_off(before));
  must(after.start());
  const storage::Mailbox made = must(after.account().find_mailbox(work));
  CHECK(made.id != old.id);
  CHECK(made.uid_validity > old.uid_validity);
  CHECK(made.special_use == SpecialUse::none);
}

}  // namespace
}  // namespace postkeep::test
