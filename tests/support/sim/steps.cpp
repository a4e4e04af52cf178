#include "tests/support/sim/steps.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "storage/maildir/name.h"

namespace postkeep::test {
namespace {

using storage::AccountStore;
using storage::AppendItem;
using storage::maildir::FileName;
using Uids = std::vector<Uid>;

bool is_among(const std::vector<std::string>& messages, const KnownMessage& message) {
  return std::find(messages.begin(), messages.end(), message.content) != messages.end();
}

KnownMessage new_message(const Mail& mail) {
  return KnownMessage{std::nullopt, content(mail.number), mail.flags.to_wire(), mail.internal_date, ModSeq()};
}

// A step that asks for one thing that tells no UIDs.
template <class Ask>
Step asking(std::string name, Ask ask, std::function<void(MailState&)> effect) {
  Step step;
  step.name = std::move(name);
  step.run = [ask](Machine& machine, const MailState& before) -> Result<Uids> {
    TRY(ask(machine, before));
    return Uids();
  };
  step.effect = std::move(effect);
  return step;
}

Result<std::shared_ptr<storage::Incoming>> receive(Machine& machine, int number) {
  constexpr std::uint64_t limit = 100'000;
  std::shared_ptr<storage::Incoming> incoming = TRY(machine.account().begin_incoming(limit));
  const std::string text = content(number);
  TRY(incoming->write(std::string_view(text).substr(0, 20)));
  TRY(incoming->write(std::string_view(text).substr(20)));
  TRY(incoming->finish());
  return incoming;
}

// A mailbox and its superiors.
std::vector<std::string> line_of(const std::string& address) {
  const Address place = address_of(address);
  std::vector<std::string> line{address};
  for (auto superior = place.mailbox.parent(); superior; superior = superior->parent()) {
    line.push_back(address_text(place.user, *superior));
  }
  return line;
}

}  // namespace

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

Result<Uids> append(Machine& machine, const std::string& mailbox, const std::vector<Mail>& mails) {
  const storage::Mailbox target = TRY(machine.find(mailbox));
  std::vector<AppendItem> items;
  for (const Mail& mail : mails) {
    AppendItem item;
    item.message = TRY(receive(machine, mail.number));
    item.flags = mail.flags;
    if (mail.internal_date) item.internal_date = UnixTime{*mail.internal_date};
    items.push_back(std::move(item));
  }
  const storage::AppendResult result = TRY(machine.account(address_of(mailbox).user).append(target.id, items));
  return result.uids.to_vector();
}

// --- Messages ---

Step append_step(std::string mailbox, std::vector<Mail> mails) {
  Step step;
  step.name = "APPEND";
  step.run = [=](Machine& machine, const MailState&) { return append(machine, mailbox, mails); };
  step.effect = [=](MailState& state) {
    for (const Mail& mail : mails) state.mailboxes.at(mailbox).messages.push_back(new_message(mail));
  };
  return step;
}

Step receive_step(int number) {
  const auto ask = [=](Machine& machine, const MailState&) -> Outcome {
    machine.incoming = TRY(receive(machine, number));
    return {};
  };
  return asking("DATA", ask, [](MailState&) {});
}

Step deliver_step(std::string mailbox, int number, std::optional<std::int64_t> internal_date) {
  Step step;
  step.name = "deliver";
  step.run = [=](Machine& machine, const MailState&) -> Result<Uids> {
    const storage::Mailbox target = TRY(machine.find(mailbox));
    AppendItem item;
    item.message = machine.incoming;
    if (internal_date) item.internal_date = UnixTime{*internal_date};
    const storage::AppendResult result = TRY(machine.account(address_of(mailbox).user).append(target.id, {item}));
    return result.uids.to_vector();
  };
  step.effect = [=](MailState& state) {
    state.mailboxes.at(mailbox).messages.push_back(new_message(Mail{number, Flags(), internal_date}));
  };
  return step;
}

Step store_step(std::vector<std::string> messages, FlagChange change, Flags flags) {
  const auto ask = [=](Machine& machine, const MailState& before) -> Outcome {
    const KnownMailbox& inbox = before.inbox();
    TRY(machine.account().store_flags(inbox.id, inbox.uids_of(messages), change, flags));
    return {};
  };
  const auto effect = [=](MailState& state) {
    for (KnownMessage& message : state.inbox().messages) {
      if (is_among(messages, message)) {
        message.flags = apply(flags_of_words(message.flags), change, flags).to_wire();
      }
    }
  };
  return asking("STORE", ask, effect);
}

Step expunge_step(std::vector<std::string> messages) {
  const auto ask = [=](Machine& machine, const MailState& before) -> Outcome {
    const KnownMailbox& inbox = before.inbox();
    TRY(machine.account().expunge(inbox.id, inbox.uids_of(messages)));
    return {};
  };
  const auto effect = [=](MailState& state) {
    std::erase_if(state.inbox().messages, [&](const KnownMessage& message) { return is_among(messages, message); });
  };
  return asking("EXPUNGE", ask, effect);
}

Step transfer_step(Transfer transfer, std::vector<std::string> messages, std::string target) {
  Step step;
  step.name = transfer == Transfer::copy ? "COPY" : "MOVE";
  step.run = [=](Machine& machine, const MailState& before) -> Result<Uids> {
    const KnownMailbox& inbox = before.inbox();
    const UidSet uids = inbox.uids_of(messages);
    const MailboxId to = before.mailboxes.at(target).id;
    AccountStore& account = machine.account();
    const storage::CopyResult result =
        TRY(transfer == Transfer::copy ? account.copy(inbox.id, uids, to) : account.move(inbox.id, uids, to));
    return result.target.to_vector();
  };
  step.effect = [=](MailState& state) {
    std::vector<KnownMessage> moved;
    for (const KnownMessage& message : state.inbox().messages) {
      if (is_among(messages, message)) moved.push_back(message);
    }
    if (transfer == Transfer::move) {
      std::erase_if(state.inbox().messages, [&](const KnownMessage& message) { return is_among(messages, message); });
    }
    for (KnownMessage& message : moved) {
      message.uid.reset();
      state.mailboxes.at(target).messages.push_back(message);
    }
  };
  return step;
}

Step replace_step(int number, std::string target, Mail mail) {
  Step step;
  step.name = "REPLACE";
  step.run = [=](Machine& machine, const MailState& before) -> Result<Uids> {
    const KnownMailbox& inbox = before.inbox();
    AppendItem item;
    item.message = TRY(receive(machine, mail.number));
    item.flags = mail.flags;
    if (mail.internal_date) item.internal_date = UnixTime{*mail.internal_date};
    const Uid uid = inbox.uids_of(contents({number})).min();
    const MailboxId to = before.mailboxes.at(target).id;
    return TRY(machine.account().replace(inbox.id, uid, to, item)).uids.to_vector();
  };
  const auto add = [=](MailState& state) { state.mailboxes.at(target).messages.push_back(new_message(mail)); };
  step.effect = [=](MailState& state) {
    std::erase_if(state.inbox().messages, [&](const KnownMessage& each) { return is_among(contents({number}), each); });
    add(state);
  };
  step.halves.emplace_back(add);
  return step;
}

// --- Mailboxes ---

Step create_step(std::string mailbox, SpecialUse special_use) {
  const auto ask = [=](Machine& machine, const MailState&) -> Outcome {
    const Address place = address_of(mailbox);
    TRY(machine.account(place.user).create_mailbox(place.mailbox, special_use));
    return {};
  };
  const std::vector<std::string> line = line_of(mailbox);
  // The folders whose bits are set.
  const auto make = [=](MailState& state, unsigned which) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if ((which >> i & 1) != 0) state.mailboxes.try_emplace(line[i]);
    }
  };
  const unsigned all = (1U << line.size()) - 1;
  const auto effect = [=](MailState& state) {
    make(state, all);
    state.mailboxes.at(mailbox).special_use = special_use;
  };
  Step step = asking("CREATE", ask, effect);
  // The last one is there, but cut off before its folder file, which has its special use.
  for (unsigned some = 1; some <= all; ++some) {
    step.halves.emplace_back([=](MailState& state) { make(state, some); });
  }
  return step;
}

Step delete_step(std::string mailbox) {
  const auto ask = [=](Machine& machine, const MailState&) {
    return machine.account().delete_mailbox(address_of(mailbox).mailbox);
  };
  return asking("DELETE", ask, [=](MailState& state) { state.mailboxes.erase(mailbox); });
}

namespace {

// The messages go, the mailbox stays.
Step rename_inbox_step(const std::string& to) {
  Step step;
  step.name = "RENAME INBOX";
  step.run = [=](Machine& machine, const MailState&) -> Result<Uids> {
    TRY(machine.account().rename_mailbox(MailboxName::inbox(), address_of(to).mailbox));
    const storage::Mailbox made = TRY(machine.find(to));
    return TRY(machine.account().version(made.id))->all_uids().to_vector();
  };
  step.effect = [=](MailState& state) {
    for (KnownMessage message : std::exchange(state.inbox().messages, {})) {
      message.uid.reset();
      state.mailboxes[to].messages.push_back(std::move(message));
    }
  };
  step.halves.emplace_back([=](MailState& state) { state.mailboxes[to] = KnownMailbox(); });
  return step;
}

}  // namespace

Step rename_step(std::string from, std::string to) {
  if (from == "INBOX") return rename_inbox_step(to);
  const auto ask = [=](Machine& machine, const MailState&) {
    return machine.account().rename_mailbox(address_of(from).mailbox, address_of(to).mailbox);
  };
  const auto effect = [=](MailState& state) {
    std::map<std::string, KnownMailbox> after;
    for (auto& [name, mailbox] : state.mailboxes) {
      const bool moves = name == from || name.starts_with(from + "/");
      after[moves ? to + name.substr(from.size()) : name] = std::move(mailbox);
    }
    state.mailboxes = std::move(after);
  };
  return asking("RENAME", ask, effect);
}

Step subscribe_step(std::string mailbox) {
  const auto ask = [=](Machine& machine, const MailState&) {
    return machine.account().subscribe(address_of(mailbox).mailbox);
  };
  return asking("SUBSCRIBE", ask, [=](MailState& state) { state.subscribed.insert(mailbox); });
}

Step unsubscribe_step(std::string mailbox) {
  const auto ask = [=](Machine& machine, const MailState&) {
    return machine.account().unsubscribe(address_of(mailbox).mailbox);
  };
  return asking("UNSUBSCRIBE", ask, [=](MailState& state) { state.subscribed.erase(mailbox); });
}

Step special_use_step(std::string mailbox, SpecialUse special_use) {
  const auto ask = [=](Machine& machine, const MailState&) {
    return machine.account().set_special_use(address_of(mailbox).mailbox, special_use);
  };
  return asking("special use", ask, [=](MailState& state) { state.mailboxes.at(mailbox).special_use = special_use; });
}

Step quota_step(std::optional<std::uint64_t> messages) {
  const storage::QuotaLimits limits{std::nullopt, messages};
  const auto ask = [=](Machine& machine, const MailState&) { return machine.account().set_quota(limits); };
  return asking("quota", ask, [=](MailState& state) { state.quota = limits; });
}

Step open_step(const std::string& user) {
  const auto ask = [=](Machine& machine, const MailState&) { return machine.open(user); };
  return asking("first delivery", ask, [](MailState&) {});
}

Step rename_user_step(const std::string& from, const std::string& to) {
  const auto ask = [=](Machine& machine, const MailState&) { return machine.rename_user(from, to); };
  // Whoever comes by the old name then finds an empty account.
  const auto effect = [=](MailState& state) {
    KnownMailbox& old = state.mailboxes.at(address_text(from, MailboxName::inbox()));
    state.mailboxes[address_text(to, MailboxName::inbox())] = std::exchange(old, KnownMailbox());
  };
  return asking("user rename", ask, effect);
}

Step defaults_step() {
  const std::vector<std::pair<std::string, SpecialUse>> wanted = {{"Drafts", SpecialUse::drafts},
                                                                  {"Sent", SpecialUse::sent}};
  const auto ask = [=](Machine& machine, const MailState&) {
    std::vector<std::pair<MailboxName, SpecialUse>> mailboxes;
    for (const auto& [name, use] : wanted) mailboxes.emplace_back(address_of(name).mailbox, use);
    return machine.account().ensure_default_mailboxes(mailboxes);
  };
  // The first so many; the last of them perhaps without its special use, as with CREATE.
  const auto make = [=](MailState& state, std::size_t count, bool whole) {
    for (std::size_t i = 0; i < count; ++i) {
      const bool has_use = whole || i + 1 < count;
      state.mailboxes[wanted[i].first].special_use = has_use ? wanted[i].second : SpecialUse::none;
    }
  };
  const auto effect = [=](MailState& state) {
    if (state.subscribed.contains(wanted.front().first)) return;  // it was done before
    make(state, wanted.size(), true);
    for (const auto& [name, use] : wanted) state.subscribed.insert(name);
  };
  Step step = asking("first login", ask, effect);
  for (std::size_t count = 1; count <= wanted.size(); ++count) {
    for (const bool whole : {false, true}) {
      step.halves.emplace_back([=](MailState& state) {
        if (!state.subscribed.contains(wanted.front().first)) make(state, count, whole);
      });
    }
  }
  return step;
}

// --- Background ---

Step background_step() {
  const auto ask = [](Machine& machine, const MailState&) { return machine.run_background(); };
  Step step = asking("background", ask, [](MailState&) {});
  step.writes_flags = true;
  return step;
}

Step first_background_step() {
  const auto ask = [](Machine& machine, const MailState&) -> Outcome {
    machine.clock().advance(std::chrono::seconds(10));
    TRY(machine.account().background_step());
    return {};
  };
  return asking("a slice of background", ask, [](MailState&) {});
}

// --- Other programs ---

namespace {

// Where a file of anna's INBOX is.
struct Place {
  std::string directory, name;
  std::string path() const { return directory + "/" + name; }
};

Result<Place> find_file(SimulatedDisk& disk, int number) {
  for (const char* part : {"/cur", "/new"}) {
    const std::string directory = std::string(Machine::account_path) + part;
    for (const std::string& name : TRY(disk.list(directory))) {
      const auto parsed = FileName::parse(name);
      if (!parsed) continue;
      const auto tag = parsed->tag();
      const bool is_ours = tag && tag->uid == Uid(static_cast<std::uint32_t>(number));
      if (is_ours || parsed->base.ends_with("." + std::to_string(number) + ".other")) return Place{directory, name};
    }
  }
  return failure(ErrorKind::not_found, "No such file", std::to_string(number));
}

Outcome move_to_cur(SimulatedDisk& disk, const Place& from, const std::string& name) {
  const std::string cur = std::string(Machine::account_path) + "/cur";
  TRY(disk.rename(from.path(), cur + "/" + name));
  TRY(disk.sync_directory(cur));
  return disk.sync_directory(from.directory);
}

Outcome look_again(Machine& machine, const MailState& before) {
  // A listing is not trusted before the folder's time stamp has aged; other programs are rarely that quick.
  machine.clock().advance(std::chrono::seconds(10));
  return machine.account().refresh(before.inbox().id);
}

Outcome write_foreign(SimulatedDisk& disk, int number, const std::string& path) {
  std::string text = content(number);
  std::erase(text, '\r');
  const auto file = TRY(disk.create(path, storage::FileSystem::Existing::fail));
  TRY(file->append(text));
  TRY(file->sync());
  return disk.sync_directory(storage::parent_directory(path));
}

}  // namespace

void deliver_foreign(SimulatedDisk& disk, int number, const std::string& path) {
  REQUIRE(write_foreign(disk, number, path));
}

Step foreign_deliver_step(int number) {
  Step step;
  step.name = "a file of another program";
  step.run = [=](Machine& machine, const MailState& before) -> Result<Uids> {
    const std::string name = "1500000100." + std::to_string(number) + ".other";
    // As others do: it gets its name when it is whole.
    const std::string staged = std::string(Machine::account_path) + "/tmp/" + name;
    const std::string path = std::string(Machine::account_path) + "/new/" + name;
    TRY(write_foreign(machine.disk(), number, staged));
    TRY(machine.disk().rename(staged, path));
    TRY(machine.disk().sync_directory(storage::parent_directory(path)));
    TRY(look_again(machine, before));
    const auto version = TRY(machine.account().version(before.inbox().id));
    return Uids{version->all_uids().max()};
  };
  step.effect = [=](MailState& state) {
    state.inbox().messages.push_back(new_message(Mail{number, Flags(), std::nullopt}));
  };
  return step;
}

Step foreign_flag_step(int number, SystemFlag flag) {
  const auto ask = [=](Machine& machine, const MailState& before) -> Outcome {
    const Place file = TRY(find_file(machine.disk(), number));
    auto letters = FileName::parse(file.name)->flags;
    letters.system_bits |= static_cast<std::uint8_t>(flag);
    TRY(move_to_cur(machine.disk(), file, storage::maildir::with_flags(file.name, letters)));
    return look_again(machine, before);
  };
  const auto effect = [=](MailState& state) {
    for (KnownMessage& message : state.inbox().messages) {
      if (message.content != content(number)) continue;
      Flags flags = flags_of_words(message.flags);
      flags.set(flag);
      message.flags = flags.to_wire();
    }
  };
  return asking("another program's flag", ask, effect);
}

Step foreign_base_step(int number) {
  const auto ask = [=](Machine& machine, const MailState& before) -> Outcome {
    const Place file = TRY(find_file(machine.disk(), number));
    auto parsed = FileName::parse(file.name).value();
    parsed.base = "1500000200.renamed.other";
    TRY(move_to_cur(machine.disk(), file, parsed.to_string()));
    return look_again(machine, before);
  };
  return asking("another program's name", ask, [](MailState&) {});
}

Step foreign_unlink_step(int number) {
  const auto ask = [=](Machine& machine, const MailState& before) -> Outcome {
    const Place file = TRY(find_file(machine.disk(), number));
    TRY(machine.disk().unlink(file.path()));
    TRY(machine.disk().sync_directory(file.directory));
    return look_again(machine, before);
  };
  const auto effect = [=](MailState& state) {
    std::erase_if(state.inbox().messages, [&](const KnownMessage& m) { return m.content == content(number); });
  };
  return asking("another program's unlink", ask, effect);
}

}  // namespace postkeep::test
