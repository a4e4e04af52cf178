#include "tests/support/sim/judge.h"

#include <algorithm>
#include <cerrno>

#include "storage/maildir/intent.h"

namespace postkeep::test {
namespace {

constexpr auto a_year = std::chrono::hours(24 * 365);

Result<Uid> append_one(Machine& machine, MailboxId mailbox, const std::string& content) {
  storage::AppendItem item;
  item.message = TRY(machine.account().begin_incoming(content.size()));
  TRY(item.message->write(content));
  TRY(item.message->finish());
  const storage::AppendResult result = TRY(machine.account().append(mailbox, {item}));
  return result.uids.min();
}

}  // namespace

void Tally::add(const Tally& other) {
  cuts += other.cuts;
  recovery_cuts += other.recovery_cuts;
  survivals += other.survivals;
  faults += other.faults;
  recovery_faults += other.recovery_faults;
  broken.insert(broken.end(), other.broken.begin(), other.broken.end());
}

std::vector<std::string> all_users(const Scenario& scenario) {
  std::vector<std::string> users = scenario.users;
  users.insert(users.end(), scenario.newcomers.begin(), scenario.newcomers.end());
  return users;
}

void Judge::broken(const std::string& what) { tally_.broken.push_back(scenario_.name + ", " + where_ + ": " + what); }

void Judge::judge(std::unique_ptr<SimulatedDisk> disk) {
  spoil_index(scenario_, known_, *disk);
  Machine machine(std::move(disk), nullptr, all_users(scenario_));
  if (const Outcome started = machine.start(); !started) return broken("does not start: " + started.error().detail);
  const Result<MailState> found = observe(machine);
  if (!found) return broken("cannot be read: " + found.error().text + ": " + found.error().detail);
  check_mail(*found);
  for (const auto& [name, mailbox] : found->mailboxes) check_counters(name, mailbox);
  check_goes_on(machine, *found);
}

void Judge::check_mail(const MailState& found) {
  const bool exact = scenario_.index == Index::kept;
  const FlagsAre flags = exact ? FlagsAre::exact : FlagsAre::mixed;
  const std::vector<MailState> earlier = exact ? std::vector<MailState>() : known_.unsettled();
  const std::string as_told = difference(known_.told(), found, flags, earlier);
  if (as_told.empty()) return;
  if (known_.maybe.empty()) return broken(as_told);
  std::string as_done;
  for (const MailState& maybe : known_.maybe) {
    const std::string differs = difference(maybe, found, flags, earlier);
    if (differs.empty()) return;
    if (as_done.empty()) as_done = differs;
  }
  broken("neither as told (" + as_told + ") nor as under way (" + as_done + ")");
}

void Judge::check_counters(const std::string& name, const KnownMailbox& found) {
  const auto told = known_.told().mailboxes.find(name);
  if (told == known_.told().mailboxes.end()) return;
  const KnownMailbox& before = told->second;
  if (found.uid_validity > before.uid_validity) return;  // another account's, where check_mail() lets it be
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

const KnownMessage* Judge::ever_told(const std::string& name, Uid uid) const {
  for (auto state = known_.states.rbegin(); state != known_.states.rend(); ++state) {
    const auto mailbox = state->mailboxes.find(name);
    if (mailbox == state->mailboxes.end()) continue;
    if (const KnownMessage* message = mailbox->second.find(uid); message != nullptr) return message;
  }
  return nullptr;
}

bool Judge::was_there_without_uid(const std::string& name, const KnownMessage& message) const {
  const auto mailbox = known_.states.front().mailboxes.find(name);
  if (mailbox == known_.states.front().mailboxes.end()) return false;
  return std::any_of(mailbox->second.messages.begin(), mailbox->second.messages.end(),
                     [&](const KnownMessage& m) { return !m.uid && m.content == message.content; });
}

void Judge::check_goes_on(Machine& machine, const MailState& found) {
  MailState expected = found;
  if (scenario_.makes_mailboxes && !add_mailbox(machine, expected)) return;
  const auto inbox = expected.mailboxes.find("INBOX");
  if (inbox == expected.mailboxes.end()) return broken("no INBOX");
  const std::string content = "Subject: afterwards\r\n\r\n";
  const Result<Uid> uid = append_one(machine, inbox->second.id, content);
  if (!uid) return broken("takes no mail: " + uid.error().detail);
  if (ever_told("INBOX", *uid) != nullptr || *uid < inbox->second.uid_next) {
    return broken("INBOX: UID " + std::to_string(uid->value()) + " was given again");
  }
  if (const Outcome done = machine.run_background(); !done) return broken("background: " + done.error().detail);
  if (const Outcome stopped = machine.stop(); !stopped) return broken("does not stop: " + stopped.error().detail);
  if (const Outcome started = machine.start(); !started) return broken("starts once: " + started.error().detail);
  check_tidy(machine.disk());
  inbox->second.messages.push_back(KnownMessage{*uid, content, "", std::nullopt, ModSeq()});
  const Result<MailState> again = observe(machine);
  if (!again) return broken("cannot be read again: " + again.error().detail);
  const std::string differs = difference(expected, *again, FlagsAre::exact, {});
  if (!differs.empty()) broken("other after a clean stop: " + differs);
}

// The clock is wrong meanwhile, so that only what was written down can tell which identities are used up.
bool Judge::add_mailbox(Machine& machine, MailState& expected) {
  const std::string name = "Afterwards";
  machine.clock().advance(-a_year);
  const Result<storage::Mailbox> made = machine.account().create_mailbox(MailboxName::from_utf8(name).value());
  machine.clock().advance(a_year);
  if (!made) {
    broken("takes no mailbox: " + made.error().detail);
    return false;
  }
  std::vector<const MailState*> states{&expected};
  for (const MailState& state : known_.states) states.push_back(&state);
  for (const MailState* state : states) {
    for (const auto& [other_name, other] : state->mailboxes) {
      if (address_of(other_name).user != "anna") continue;
      if (made->uid_validity <= other.uid_validity) broken("a UIDVALIDITY not above that of " + other_name);
      if (made->id == other.id) broken("the mailbox id of " + other_name + " was given again");
    }
  }
  KnownMailbox& known = expected.mailboxes[name];
  known.id = made->id;
  known.uid_validity = made->uid_validity;
  return true;
}

// Nothing is left of what was under way.
void Judge::check_tidy(SimulatedDisk& disk) {
  for (const std::string& user : all_users(scenario_)) {
    const auto intents = storage::maildir::list_intents(disk, std::string(Machine::data_dir) + "/mail/" + user);
    if (!intents || !intents->intents.empty() || !intents->torn.empty()) broken("an intent is left");
  }
  const auto spooled = disk.list(std::string(Machine::data_dir) + "/spool");
  if (spooled && !spooled->empty()) broken("the spool is not empty");
}

void Judge::check_error(const Error& error, int error_number) {
  const bool is_full = error_number == ENOSPC || error_number == EDQUOT;
  const ErrorKind expected = is_full ? ErrorKind::over_quota : ErrorKind::unavailable;
  if (error.kind == expected) return;
  broken((known_.step.empty() ? "" : known_.step + " is ") + "answered as " + std::string(to_string(error.kind)) +
         " and not as " + std::string(to_string(expected)) + ": " + error.text + ": " + error.detail);
}

}  // namespace postkeep::test
