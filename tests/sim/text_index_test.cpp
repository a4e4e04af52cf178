// The search index on a disk that loses power or fails: whatever is left of search.sqlite and index.sqlite, a SEARCH of
// text finds what reading the messages finds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

#include "tests/support/results.h"
#include "tests/support/sim/machine.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

constexpr std::uint64_t points_max = 60;

MailboxId inbox_of(Machine& machine) { return must(machine.find("INBOX")).id; }

Outcome append_some(Machine& machine, MailboxId box, std::uint32_t from, std::uint32_t count) {
  std::vector<storage::AppendItem> items;
  for (std::uint32_t i = from; i < from + count; ++i) {
    storage::AppendItem item;
    item.message = TRY(machine.account().begin_incoming(1 << 20));
    TRY(item.message->write(sample_message(i)));
    TRY(item.message->finish());
    items.push_back(std::move(item));
  }
  TRY(machine.account().append(box, items));
  return {};
}

Result<UidSet> search_text(Machine& machine, MailboxId box, const std::string& needle) {
  SearchKey key;
  key.kind = SearchKey::Kind::text;
  key.needle = needle;
  const UidSet all = TRY(machine.account().version(box))->all_uids();
  return machine.account().search(box, key, all);
}

// An index is made, mail comes and goes, and the index follows.
Outcome use(Machine& machine, MailboxId box) {
  TRY(search_text(machine, box, "anything"));
  TRY(machine.run_background());
  TRY(append_some(machine, box, 100, 3));
  TRY(machine.account().store_flags(box, UidSet::of_range(Uid(2), Uid(4)), FlagChange::add, make_flags("\\Deleted")));
  TRY(machine.account().expunge(box, UidSet::of_range(Uid(1), Uid(100))));
  TRY(machine.run_background());
  TRY(search_text(machine, box, "anything"));
  return machine.stop();
}

// By what the messages say, read one by one.
UidSet having(Machine& machine, MailboxId box, const std::string& needle) {
  UidSet found;
  must(machine.account().version(box))->for_each([&](SeqNum, const storage::MessageState& message) {
    const auto reader = must(machine.account().open_message(box, message.uid));
    std::string content;
    must(reader->read(0, reader->size(), content));
    if (content.find(needle) != std::string::npos) found.add(message.uid);
  });
  return found;
}

void check(Machine& machine, MailboxId box) {
  for (const char* needle : {"1", "3", "10", "100", "2", "Subject: ", "nowhere"}) {
    CHECK(must(search_text(machine, box, needle)) == having(machine, box, needle));
  }
}

std::unique_ptr<SimulatedDisk> filled_disk() {
  Machine machine(std::make_unique<SimulatedDisk>());
  must(machine.start());
  must(append_some(machine, inbox_of(machine), 0, 12));
  must(machine.stop());
  return machine.disk().clone();
}

void check_restarted(std::unique_ptr<SimulatedDisk> disk) {
  Machine machine(std::move(disk));
  must(machine.start());
  const MailboxId box = inbox_of(machine);
  for (int round = 0; round < 2; ++round) {
    check(machine, box);
    must(machine.run_background());
  }
  must(append_some(machine, box, 300, 1));
  check(machine, box);
  must(machine.stop());
}

void befall_nothing(SimulatedDisk&) {}

// use() from the start of the machine on; its disk was told before what is to befall it.
template <class Befall>
Outcome start_and_use(Machine& machine, Befall&& befall) {
  must(machine.start());
  const MailboxId box = inbox_of(machine);
  machine.disk().reset_counts();
  befall(machine.disk());
  return use(machine, box);
}

// The points of `count` that are looked at.
template <class Look>
void for_some(std::uint64_t count, Look&& look) {
  REQUIRE(count > 0);
  const std::uint64_t stride = std::max<std::uint64_t>(1, count / points_max);
  for (std::uint64_t point = 1; point <= count; point += stride) {
    CAPTURE(point);
    look(point);
  }
}

TEST_CASE("After a power cut at any time a search of text finds what is there") {
  const std::unique_ptr<SimulatedDisk> filled = filled_disk();
  Machine whole(filled->clone());
  must(start_and_use(whole, befall_nothing));
  for_some(whole.disk().changes(), [&](std::uint64_t cut) {
    Machine machine(filled->clone());
    (void)start_and_use(machine, [&](SimulatedDisk& disk) { disk.cut_power_at(cut); });
    machine.halt();
    for (const SurvivalPlan& plan :
         {SurvivalPlan{SurvivalPlan::Kind::nothing, 0}, SurvivalPlan{SurvivalPlan::Kind::everything, 0},
          SurvivalPlan{SurvivalPlan::Kind::random, cut}}) {
      check_restarted(machine.disk().after_power_cut(plan));
    }
  });
}

TEST_CASE("Whatever call of the disk fails, a search of text that is answered is answered right") {
  const std::unique_ptr<SimulatedDisk> filled = filled_disk();
  Machine whole(filled->clone());
  must(start_and_use(whole, befall_nothing));
  for_some(whole.disk().calls(), [&](std::uint64_t call) {
    const int error = call % 2 == 0 ? EIO : ENOSPC;
    Machine machine(filled->clone());
    (void)start_and_use(machine, [&](SimulatedDisk& disk) { disk.fail_likely_at(call, error); });
    machine.halt();
    check_restarted(machine.disk().clone());
  });
}

}  // namespace
}  // namespace postkeep::test
