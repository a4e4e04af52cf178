// What the next start makes of an unclean stop, beyond what tests/sim searches for.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "tests/support/results.h"
#include "tests/support/sim/breakage.h"
#include "tests/support/sim/passing_file_system.h"
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

// --- An older index ---

// A store that does not raise the generation. The search of tests/sim cannot see it: whatever a power cut finds in use
// is treated as after an unclean stop, whichever index lies there.
class ForgottenGeneration final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Result<std::unique_ptr<storage::File>> create(const std::string& path, Existing existing) override {
    return real_.create(is_generation(path) ? "/data/lost" : path, existing);
  }
  Outcome rename(const std::string& from, const std::string& to) override {
    return is_generation(to) ? Outcome() : real_.rename(from, to);
  }

 private:
  static bool is_generation(const std::string& path) { return path.find("/postkeep-generation.") != std::string::npos; }
};

// INBOX's HIGHESTMODSEQ as it was told, and as it is after a clean stop and an older index in place of the last one.
struct ToldAndFound {
  ModSeq told;
  ModSeq found;
  std::size_t messages = 0;
};

ToldAndFound after_older_index(const Breakage* breakage) {
  ToldAndFound result;
  Machine machine(base_disk(), breakage);
  must(machine.start());
  must(append(machine, "INBOX", {Mail{99, Flags(), std::nullopt}}));
  must(machine.stop());
  const IndexFiles older = index_files(machine.disk());
  must(machine.start());
  for (int number = 100; number < 105; ++number) must(append(machine, "INBOX", {Mail{number, Flags(), std::nullopt}}));
  const MailState before = must(observe(machine));
  result.told = before.mailboxes.at("INBOX").highest_modseq;
  must(machine.stop());
  put_index_back(machine.disk(), older);
  must(machine.start());
  const MailState after = must(observe(machine));
  result.found = after.mailboxes.at("INBOX").highest_modseq;
  result.messages = after.mailboxes.at("INBOX").messages.size();
  CHECK(result.messages == before.mailboxes.at("INBOX").messages.size());
  return result;
}

TEST_CASE("An older index put back after a clean stop is noticed, and no MODSEQ is told twice") {
  const ToldAndFound kept = after_older_index(nullptr);
  CHECK(kept.found > kept.told);
  const Breakage forgets{"the index's generation is not kept", "", [](SimulatedDisk& disk) {
                           return std::unique_ptr<storage::FileSystem>(std::make_unique<ForgottenGeneration>(disk));
                         }};
  const ToldAndFound forgotten = after_older_index(&forgets);
  CHECK(forgotten.found <= forgotten.told);
}

}  // namespace
}  // namespace postkeep::test
