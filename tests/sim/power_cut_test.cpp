// The power-cut simulation: deliver, APPEND, STORE, EXPUNGE, COPY, MOVE, CREATE, DELETE, RENAME and the loss of the
// index, with the power cut at every change and every call failing in turn. tests/support/sim says how;
// POSTKEEP_SIM_ROUNDS=n tries n times as many random survivals. POSTKEEP_SIM_PART=k/n tries one point in n, beginning
// with the k-th.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "storage/backends.h"
#include "tests/support/sim/scenario.h"

namespace postkeep::test {
namespace {

using storage::AccountStore;
using storage::AppendItem;

std::string content(int number) {
  const std::string n = std::to_string(number);
  return "From: a@example.org\r\nSubject: message " + n + "\r\nMessage-ID: <" + n + "@example.org>\r\n\r\nText of " +
         n + "\r\n";
}

std::vector<std::string> contents(std::initializer_list<int> numbers) {
  std::vector<std::string> all;
  for (const int number : numbers) all.push_back(content(number));
  return all;
}

Flags flags_of(std::initializer_list<const char*> names) {
  Flags flags;
  for (const char* name : names) REQUIRE(flags.add_from_wire(name));
  return flags;
}

struct Mail {
  int number = 0;
  Flags flags;
  std::optional<std::int64_t> internal_date;
};

Result<std::vector<Uid>> append(Machine& machine, MailboxId mailbox, const std::vector<Mail>& mails) {
  std::vector<AppendItem> items;
  for (const Mail& mail : mails) {
    AppendItem item;
    item.message = TRY(machine.account().begin_incoming(100'000));
    const std::string text = content(mail.number);
    TRY(item.message->write(std::string_view(text).substr(0, 20)));
    TRY(item.message->write(std::string_view(text).substr(20)));
    TRY(item.message->finish());
    item.flags = mail.flags;
    if (mail.internal_date) item.internal_date = UnixTime{*mail.internal_date};
    items.push_back(std::move(item));
  }
  const storage::AppendResult result = TRY(machine.account().append(mailbox, items));
  return result.uids.to_vector();
}

// --- Steps ---

Step append_step(std::string mailbox, std::vector<Mail> mails) {
  Step step;
  step.name = "APPEND";
  step.run = [=](Machine& machine, const MailState& before) { return append(machine, before.at(mailbox).id, mails); };
  step.effect = [=](MailState& state) {
    for (const Mail& mail : mails) {
      state.at(mailbox).messages.push_back(
          KnownMessage{std::nullopt, content(mail.number), mail.flags.to_wire(), mail.internal_date, ModSeq()});
    }
  };
  return step;
}

Step store_step(std::vector<std::string> messages, FlagChange change, Flags flags) {
  Step step;
  step.name = "STORE";
  step.run = [=](Machine& machine, const MailState& before) -> Result<std::vector<Uid>> {
    const KnownMailbox& inbox = before.at("INBOX");
    TRY(machine.account().store_flags(inbox.id, inbox.uids_of(messages), change, flags));
    return std::vector<Uid>();
  };
  step.effect = [=](MailState& state) {
    for (KnownMessage& message : state.at("INBOX").messages) {
      if (std::find(messages.begin(), messages.end(), message.content) == messages.end()) continue;
      Flags now;
      for (std::size_t at = 0; at < message.flags.size();) {
        const std::size_t end = std::min(message.flags.find(' ', at), message.flags.size());
        REQUIRE(now.add_from_wire(std::string_view(message.flags).substr(at, end - at)));
        at = end + 1;
      }
      message.flags = apply(std::move(now), change, flags).to_wire();
    }
  };
  return step;
}

Step expunge_step(std::vector<std::string> messages) {
  Step step;
  step.name = "EXPUNGE";
  step.run = [=](Machine& machine, const MailState& before) -> Result<std::vector<Uid>> {
    const KnownMailbox& inbox = before.at("INBOX");
    TRY(machine.account().expunge(inbox.id, inbox.uids_of(messages)));
    return std::vector<Uid>();
  };
  step.effect = [=](MailState& state) {
    std::erase_if(state.at("INBOX").messages, [&](const KnownMessage& message) {
      return std::find(messages.begin(), messages.end(), message.content) != messages.end();
    });
  };
  return step;
}

enum class Transfer { copy, move };

// From INBOX, in the order of UIDs.
Step transfer_step(Transfer transfer, std::vector<std::string> messages, std::string target) {
  Step step;
  step.name = transfer == Transfer::copy ? "COPY" : "MOVE";
  step.run = [=](Machine& machine, const MailState& before) -> Result<std::vector<Uid>> {
    const KnownMailbox& inbox = before.at("INBOX");
    const UidSet uids = inbox.uids_of(messages);
    const MailboxId to = before.at(target).id;
    AccountStore& account = machine.account();
    const storage::CopyResult result =
        TRY(transfer == Transfer::copy ? account.copy(inbox.id, uids, to) : account.move(inbox.id, uids, to));
    return result.target.to_vector();
  };
  step.effect = [=](MailState& state) {
    std::vector<KnownMessage> moved;
    for (const KnownMessage& message : state.at("INBOX").messages) {
      if (std::find(messages.begin(), messages.end(), message.content) != messages.end()) moved.push_back(message);
    }
    if (transfer == Transfer::move) {
      std::erase_if(state.at("INBOX").messages, [&](const KnownMessage& message) {
        return std::find(messages.begin(), messages.end(), message.content) != messages.end();
      });
    }
    for (KnownMessage& message : moved) {
      message.uid.reset();
      state.at(target).messages.push_back(message);
    }
  };
  return step;
}

Step create_step(std::string mailbox) {
  Step step;
  step.name = "CREATE";
  step.run = [=](Machine& machine, const MailState&) -> Result<std::vector<Uid>> {
    TRY(machine.account().create_mailbox(MailboxName::from_utf8(mailbox).value()));
    return std::vector<Uid>();
  };
  step.effect = [=](MailState& state) { state[mailbox] = KnownMailbox(); };
  return step;
}

Step delete_step(std::string mailbox) {
  Step step;
  step.name = "DELETE";
  step.run = [=](Machine& machine, const MailState&) -> Result<std::vector<Uid>> {
    TRY(machine.account().delete_mailbox(MailboxName::from_utf8(mailbox).value()));
    return std::vector<Uid>();
  };
  step.effect = [=](MailState& state) { state.erase(mailbox); };
  return step;
}

// With the mailboxes below it.
Step rename_step(std::string from, std::string to) {
  Step step;
  step.name = "RENAME";
  step.run = [=](Machine& machine, const MailState&) -> Result<std::vector<Uid>> {
    TRY(machine.account().rename_mailbox(MailboxName::from_utf8(from).value(), MailboxName::from_utf8(to).value()));
    return std::vector<Uid>();
  };
  step.effect = [=](MailState& state) {
    MailState after;
    for (auto& [name, mailbox] : state) {
      const bool moves = name == from || name.starts_with(from + "/");
      after[moves ? to + name.substr(from.size()) : name] = std::move(mailbox);
    }
    state = std::move(after);
  };
  return step;
}

// Flags to names, unlinks: whatever is due while nobody asks for anything.
Step background_step() {
  Step step;
  step.name = "background";
  step.run = [](Machine& machine, const MailState&) -> Result<std::vector<Uid>> {
    TRY(machine.run_background());
    return std::vector<Uid>();
  };
  step.effect = [](MailState&) {};
  return step;
}

std::vector<Scenario> scenarios() {
  const Flags label = flags_of({"\\Seen", "$Label", "newkeyword"});
  const auto deliver = [](int number) { return append_step("INBOX", {Mail{number, Flags(), std::nullopt}}); };
  const auto append_three = append_step(
      "Archive", {Mail{101, label, 1'600'000'000}, Mail{102, Flags(), 1'500'000'000}, Mail{103, label, std::nullopt}});
  const auto flag_some = store_step(contents({1, 4, 6, 7}), FlagChange::add, flags_of({"\\Flagged", "fresh"}));
  const auto unflag = store_step(contents({4, 5}), FlagChange::replace, flags_of({"\\Answered"}));
  const auto expunge = expunge_step(contents({2, 3}));
  const auto copy = transfer_step(Transfer::copy, contents({1, 4, 7}), "Archive");
  const auto move = transfer_step(Transfer::move, contents({4, 5, 8}), "Archive");
  return {
      {"deliver", {deliver(100), deliver(101), background_step()}},
      {"deliver, index lost", {deliver(100), deliver(101), background_step()}, Index::lost},
      {"APPEND one", {append_step("INBOX", {Mail{100, label, 1'600'000'000}}), background_step()}},
      {"APPEND three", {append_three, background_step()}},
      {"APPEND three, index lost", {append_three, background_step()}, Index::lost},
      {"STORE", {flag_some, unflag, background_step()}},
      {"STORE, index lost", {flag_some, unflag, background_step()}, Index::lost},
      {"EXPUNGE", {expunge, background_step()}},
      {"EXPUNGE, index lost", {expunge, background_step()}, Index::lost},
      {"COPY one", {transfer_step(Transfer::copy, contents({4}), "Archive")}},
      {"COPY three", {copy, background_step()}},
      {"COPY three, index lost", {copy, background_step()}, Index::lost},
      {"MOVE one", {transfer_step(Transfer::move, contents({5}), "Archive"), background_step()}},
      {"MOVE one of another program", {transfer_step(Transfer::move, contents({8}), "Archive"), background_step()}},
      {"MOVE three", {move, background_step()}},
      {"MOVE three, index lost", {move, background_step()}, Index::lost},
      {"CREATE, DELETE", {create_step("Work"), delete_step("Archive"), create_step("Archive"), background_step()}},
      {"RENAME one", {rename_step("Archive/2020", "Old"), background_step()}},
      {"RENAME with inferiors", {rename_step("Archive", "Old"), background_step()}},
      {"RENAME with inferiors, index lost", {rename_step("Archive", "Old"), background_step()}, Index::lost},
      {"RENAME, and the names anew",
       {rename_step("Archive", "Old"), rename_step("Old", "Older"), create_step("Archive"), create_step("Archive/2020"),
        background_step()}},
      {"a session",
       {deliver(100), store_step(contents({100}), FlagChange::add, flags_of({"\\Seen"})),
        transfer_step(Transfer::move, contents({100}), "Archive"), expunge, background_step()}},
  };
}

// A message as another program writes it: bare LF, a name of its own.
void deliver_foreign(SimulatedDisk& disk, int number, const std::string& path) {
  std::string text = content(number);
  std::erase(text, '\r');
  const auto file = disk.create(path, storage::FileSystem::Existing::fail).value();
  REQUIRE(file->append(text));
  REQUIRE(file->sync());
  REQUIRE(disk.sync_directory(storage::parent_directory(path)));
}

// An account with INBOX (1 to 6 ours, 7 and 8 by another program), Archive (9, 10) and Archive/2020 (11), stopped
// cleanly.
std::unique_ptr<SimulatedDisk> base_disk() {
  Machine machine(std::make_unique<SimulatedDisk>());
  const Outcome started = machine.start();
  REQUIRE_MESSAGE(started, started.error().detail);
  AccountStore& account = machine.account();
  const MailboxId inbox = account.find_mailbox(MailboxName::inbox()).value().id;
  const MailboxId archive = account.create_mailbox(MailboxName::from_utf8("Archive").value()).value().id;
  const MailboxId below = account.create_mailbox(MailboxName::from_utf8("Archive/2020").value()).value().id;
  const Flags deleted = flags_of({"\\Deleted"});
  const Flags work = flags_of({"\\Flagged", "$Work"});
  REQUIRE(append(machine, inbox, {Mail{1, Flags(), 1'000'000'000}, Mail{2, deleted, std::nullopt}}));
  REQUIRE(append(machine, inbox, {Mail{3, deleted, std::nullopt}}));
  REQUIRE(append(machine, inbox, {Mail{4, flags_of({"\\Seen"}), 1'100'000'000}, Mail{5, work, std::nullopt}}));
  REQUIRE(append(machine, inbox, {Mail{6, Flags(), std::nullopt}}));
  REQUIRE(append(machine, archive, {Mail{9, work, std::nullopt}, Mail{10, Flags(), 1'200'000'000}}));
  REQUIRE(append(machine, below, {Mail{11, Flags(), std::nullopt}}));
  deliver_foreign(machine.disk(), 7, std::string(Machine::account_path) + "/new/1500000000.7.other");
  deliver_foreign(machine.disk(), 8, std::string(Machine::account_path) + "/cur/1500000001.8.other,U=5:2,F");
  machine.clock().advance(std::chrono::seconds(10));
  REQUIRE(observe(account));
  REQUIRE(machine.run_background());
  REQUIRE(machine.stop());
  return machine.disk().clone();
}

std::uint64_t rounds() {
  const char* wanted = std::getenv("POSTKEEP_SIM_ROUNDS");
  const long number = wanted != nullptr ? std::strtol(wanted, nullptr, 10) : 1;
  return number > 0 ? static_cast<std::uint64_t>(number) : 1;
}

void choose_part(SearchOptions& options) {
  const char* wanted = std::getenv("POSTKEEP_SIM_PART");
  unsigned part = 0, parts = 0;
  if (wanted == nullptr) return;
  REQUIRE(std::sscanf(wanted, "%u/%u", &part, &parts) == 2);
  REQUIRE((part >= 1 && part <= parts));
  options.part = part % parts;
  options.parts = parts;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += "\n  " + line;
  return all;
}

// Until there is a store that keeps mail on disk there is nothing to try.
bool has_store() {
  const auto& all = storage::backends();
  const bool found = std::any_of(all.begin(), all.end(), [](const auto& row) { return row.name == "maildir"; });
  if (!found) MESSAGE("no storage backend \"maildir\" is built in: skipped");
  return found;
}

TEST_CASE("no promise is broken by a power cut at any change or by any failing call") {
  if (!has_store()) return;
  const auto base = base_disk();
  SearchOptions options;
  options.random_plans = 3 * rounds();
  options.with_trace = std::getenv("POSTKEEP_SIM_TRACE") != nullptr;
  choose_part(options);
  Tally all;
  std::size_t operations = 0;
  const char* only = std::getenv("POSTKEEP_SIM_ONLY");
  for (const Scenario& scenario : scenarios()) {
    if (only != nullptr && scenario.name != only) continue;
    operations += scenario.steps.size();
    const Tally tally = search(scenario, *base, options);
    CHECK_MESSAGE(tally.broken.empty(), joined(tally.broken));
    all.add(tally);
  }
  MESSAGE("operations " << operations << ", cut points " << all.cuts << ", failing calls " << all.faults
                        << ", survivals looked at " << all.survivals << ", broken promises " << all.broken.size());
}

TEST_CASE("a store that does not sync, or renames before it writes, is caught") {
  if (!has_store()) return;
  const auto base = base_disk();
  for (const Laziness laziness : {Laziness::no_sync, Laziness::rename_before_write}) {
    SearchOptions options;
    options.laziness = laziness;
    options.with_faults = false;
    options.broken_max = 5;
    Tally all;
    for (const Scenario& scenario : scenarios()) all.add(search(scenario, *base, options));
    CHECK(all.broken.size() > 0);
    MESSAGE("caught, among others: " << (all.broken.empty() ? "nothing" : all.broken.front()));
  }
}

}  // namespace
}  // namespace postkeep::test
