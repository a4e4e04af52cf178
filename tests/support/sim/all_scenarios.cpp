#include <doctest/doctest.h>

#include "tests/support/sim/steps.h"

namespace postkeep::test {
namespace {

Flags label() { return flags_of({"\\Seen", "$Label", "newkeyword"}); }
Step deliver(int number) { return append_step("INBOX", {Mail{number, Flags(), std::nullopt}}); }
Step copy_to_archive(std::initializer_list<int> numbers) {
  return transfer_step(Transfer::copy, contents(numbers), "Archive");
}
Step move_to_archive(std::initializer_list<int> numbers) {
  return transfer_step(Transfer::move, contents(numbers), "Archive");
}
Step seen(int number) { return store_step(contents({number}), FlagChange::add, flags_of({"\\Seen"})); }

// Both with the index that the machine has, and with the index lost.
void add_both(std::vector<Scenario>& all, Scenario scenario) {
  all.push_back(scenario);
  scenario.name += ", index lost";
  scenario.index = Index::lost;
  all.push_back(std::move(scenario));
}

// INBOX has 25 keywords, so that one more gets the last letter and the next ones get none.
void fill_keyword_table(Machine& machine) {
  Flags many;
  for (int i = 1; i <= 24; ++i) many.add_keyword("k" + std::to_string(100 + i));  // and $Work
  const MailboxId inbox = machine.find("INBOX").value().id;
  REQUIRE(machine.account().store_flags(inbox, UidSet::of_range(Uid(6), Uid(6)), FlagChange::add, many));
  REQUIRE(machine.run_background());
}

void add_messages(std::vector<Scenario>& all) {
  const auto append_three = append_step(
      "Archive",
      {Mail{101, label(), 1'600'000'000}, Mail{102, Flags(), 1'500'000'000}, Mail{103, label(), std::nullopt}});
  const auto flag_some = store_step(contents({1, 4, 6, 7}), FlagChange::add, flags_of({"\\Flagged", "fresh"}));
  const auto unflag = store_step(contents({4, 5}), FlagChange::replace, flags_of({"\\Answered"}));
  add_both(all, {"deliver", {deliver(100), deliver(101), background_step()}});
  all.push_back({"APPEND one", {append_step("INBOX", {Mail{100, label(), 1'600'000'000}}), background_step()}});
  add_both(all, {"APPEND three", {append_three, background_step()}});
  add_both(all, {"STORE", {flag_some, unflag, background_step()}});
  add_both(all, {"EXPUNGE", {expunge_step(contents({2, 3})), background_step()}});
  all.push_back({"COPY one", {copy_to_archive({4})}});
  add_both(all, {"COPY three", {copy_to_archive({1, 4, 7}), background_step()}});
  all.push_back({"COPY within a mailbox", {transfer_step(Transfer::copy, contents({4, 8}), "INBOX")}});
  all.push_back({"MOVE one", {move_to_archive({5}), background_step()}});
  all.push_back({"MOVE one of another program", {move_to_archive({8}), background_step()}});
  add_both(all, {"MOVE three", {move_to_archive({4, 5, 8}), background_step()}});
  all.push_back({"MOVE within a mailbox", {transfer_step(Transfer::move, contents({4, 5}), "INBOX")}});
  const Mail draft{100, label(), 1'600'000'000};
  add_both(all, {"REPLACE within a mailbox", {replace_step(4, "INBOX", draft), background_step()}});
  add_both(all, {"REPLACE to another mailbox", {replace_step(5, "Archive", draft), background_step()}});
  add_both(all, {"REPLACE one of another program", {replace_step(8, "INBOX", draft), background_step()}});
  all.push_back({"a session",
                 {deliver(100), seen(100), move_to_archive({100}), expunge_step(contents({2, 3})), background_step()}});
}

void add_deliveries(std::vector<Scenario>& all) {
  Scenario to_two{"deliver to two recipients",
                  {receive_step(100), deliver_step("INBOX", 100), deliver_step("bert:INBOX", 100), background_step()}};
  to_two.users = {"anna", "bert"};
  add_both(all, to_two);
  all.push_back({"deliver to two mailboxes of one account",
                 {receive_step(100), deliver_step("INBOX", 100), deliver_step("Archive", 100),
                  deliver_step("INBOX", 100), background_step()}});
  all.push_back({"deliver with two dates",
                 {receive_step(100), deliver_step("INBOX", 100, 1'600'000'000), deliver_step("Archive", 100),
                  deliver_step("Archive/2020", 100, 1'600'000'000)}});
  Scenario to_new{"deliver to a new user",
                  {receive_step(100), open_step("carl"), deliver_step("INBOX", 100), deliver_step("carl:INBOX", 100)}};
  to_new.newcomers = {"carl"};
  add_both(all, to_new);
  Scenario unclean{"deliver after an unclean stop", {deliver(100), deliver(101), background_step()}};
  unclean.prepare = [](Machine& machine) {
    REQUIRE(append(machine, "INBOX", {Mail{99, Flags(), std::nullopt}}));
    machine.halt();
  };
  add_both(all, unclean);
  const Mail deleted{100, flags_of({"\\Deleted"}), std::nullopt};
  unclean.name = "deliver, EXPUNGE after an unclean stop";
  unclean.steps = {append_step("INBOX", {deleted}), deliver(101), expunge_step(contents({100})), background_step()};
  add_both(all, unclean);
}

void add_mailboxes(std::vector<Scenario>& all) {
  const auto add = [&](Scenario scenario) {
    scenario.makes_mailboxes = true;
    all.push_back(std::move(scenario));
  };
  add({"CREATE, DELETE", {create_step("Work"), delete_step("Archive"), create_step("Archive"), background_step()}});
  add({"CREATE with superiors", {create_step("Work/2024/Q1"), delete_step("Work/2024/Q1")}});
  add({"CREATE, DELETE, CREATE", {create_step("Work", SpecialUse::junk), delete_step("Work"), create_step("Work")}});
  add({"RENAME one", {rename_step("Archive/2020", "Old"), background_step()}});
  const Scenario tree{"RENAME with inferiors", {rename_step("Archive", "Old"), background_step()}};
  add_both(all, tree);
  add({"RENAME, and the names anew",
       {rename_step("Archive", "Old"), rename_step("Old", "Older"), create_step("Archive"), create_step("Archive/2020"),
        background_step()}});
  all.push_back({"RENAME INBOX", {rename_step("INBOX", "Before"), deliver(100), background_step()}});
  add_both(all,
           {"SUBSCRIBE, special use",
            {subscribe_step("Archive"), special_use_step("Archive", SpecialUse::archive), subscribe_step("elsewhere"),
             unsubscribe_step("Archive"), special_use_step("Archive", SpecialUse::none),
             special_use_step("Archive/2020", SpecialUse::trash), background_step()}});
}

void add_accounts(std::vector<Scenario>& all) {
  Scenario first_login{"first login", {defaults_step(), delete_step("Drafts"), defaults_step(), background_step()}};
  first_login.makes_mailboxes = true;
  add_both(all, first_login);
  add_both(all, {"quota",
                 {quota_step(100), deliver(100), quota_step(0), subscribe_step("Archive"), quota_step(std::nullopt)}});
  Scenario renamed{"a user gets another name",
                   {rename_user_step("bert", "carl"), receive_step(100), deliver_step("carl:INBOX", 100)}};
  renamed.users = {"anna", "bert"};
  renamed.newcomers = {"carl"};
  add_both(all, renamed);
  Scenario restored{"an older index put back",
                    {deliver(100), seen(100), expunge_step(contents({2, 3})), move_to_archive({4, 100}),
                     create_step("Work"), background_step()},
                    Index::older};
  restored.prepare = [](Machine& machine) {
    REQUIRE(append(machine, "INBOX", {Mail{99, label(), std::nullopt}}));
    REQUIRE(machine.run_background());
  };
  all.push_back(restored);
  restored.name += ", deleted and made again since";
  restored.steps = {delete_step("Archive/2020"), create_step("Archive/2020"), rename_step("Archive", "Old"),
                    append_step("Old", {Mail{100, label(), std::nullopt}}), background_step()};
  all.push_back(restored);
}

void add_keywords(std::vector<Scenario>& all) {
  const Flags beyond = flags_of({"\\Flagged", "n1", "n2", "n3"});
  Scenario keywords{
      "keywords from the 26th on",
      {store_step(contents({1, 4}), FlagChange::add, beyond), background_step(),
       append_step("INBOX", {Mail{100, beyond, std::nullopt}, Mail{101, flags_of({"n4"}), std::nullopt}}),
       store_step(contents({1}), FlagChange::remove, flags_of({"n2"})), background_step(), copy_to_archive({1, 4})}};
  keywords.prepare = fill_keyword_table;
  add_both(all, keywords);
  Scenario moved = keywords;
  moved.name = "MOVE with keywords from the 26th on";
  moved.steps = {append_step("INBOX", {Mail{100, beyond, std::nullopt}}),
                 transfer_step(Transfer::move, contents({4, 100}), "INBOX"), move_to_archive({100}), background_step()};
  all.push_back(moved);
}

void add_other_programs(std::vector<Scenario>& all) {
  add_both(all, {"files of another program",
                 {foreign_deliver_step(200), foreign_deliver_step(201), foreign_flag_step(200, SystemFlag::seen),
                  background_step(), foreign_unlink_step(201)}});
  all.push_back({"flags of another program beside ours",
                 {store_step(contents({4, 7}), FlagChange::add, flags_of({"\\Flagged", "fresh"})),
                  foreign_flag_step(4, SystemFlag::answered), foreign_flag_step(7, SystemFlag::seen),
                  foreign_flag_step(5, SystemFlag::seen), background_step()}});
  add_both(all, {"names and unlinks of another program",
                 {foreign_base_step(5), foreign_unlink_step(6), foreign_unlink_step(7), background_step()}});
  all.push_back({"another program touches what is expunged",
                 {expunge_step(contents({2, 3})), foreign_flag_step(3, SystemFlag::seen), foreign_base_step(2),
                  first_background_step(), deliver(100), background_step()}});
  all.push_back({"a file of another program is kept, flagged, moved",
                 {foreign_deliver_step(200), seen(200), move_to_archive({200}), foreign_deliver_step(202),
                  copy_to_archive({202}), background_step()}});
}

}  // namespace

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  add_messages(all);
  add_deliveries(all);
  add_mailboxes(all);
  add_accounts(all);
  add_keywords(all);
  add_other_programs(all);
  return all;
}

std::unique_ptr<SimulatedDisk> base_disk() {
  Machine machine(std::make_unique<SimulatedDisk>(), nullptr, {"anna", "bert"});
  const Outcome started = machine.start();
  REQUIRE_MESSAGE(started, started.error().detail);
  for (const char* name : {"Archive", "Archive/2020"}) {
    REQUIRE(machine.account().create_mailbox(MailboxName::from_utf8(name).value()));
  }
  const Flags deleted = flags_of({"\\Deleted"});
  const Flags work = flags_of({"\\Flagged", "$Work"});
  REQUIRE(append(machine, "INBOX", {Mail{1, Flags(), 1'000'000'000}, Mail{2, deleted, std::nullopt}}));
  REQUIRE(append(machine, "INBOX", {Mail{3, deleted, std::nullopt}}));
  REQUIRE(append(machine, "INBOX", {Mail{4, flags_of({"\\Seen"}), 1'100'000'000}, Mail{5, work, std::nullopt}}));
  REQUIRE(append(machine, "INBOX", {Mail{6, Flags(), std::nullopt}}));
  REQUIRE(append(machine, "Archive", {Mail{9, work, std::nullopt}, Mail{10, Flags(), 1'200'000'000}}));
  REQUIRE(append(machine, "Archive/2020", {Mail{11, Flags(), std::nullopt}}));
  REQUIRE(append(machine, "bert:INBOX", {Mail{12, Flags(), std::nullopt}}));
  deliver_foreign(machine.disk(), 7, std::string(Machine::account_path) + "/new/1500000000.7.other");
  deliver_foreign(machine.disk(), 8, std::string(Machine::account_path) + "/cur/1500000001.8.other,U=5:2,F");
  machine.clock().advance(std::chrono::seconds(10));
  REQUIRE(observe(machine));
  REQUIRE(machine.run_background());
  REQUIRE(machine.stop());
  return machine.disk().clone();
}

}  // namespace postkeep::test
