// The Maildir backend beside its contract: what an operation costs in calls, when flags reach file names, and what
// comes back when index or folder files are lost, old or damaged. On the simulated disk, which counts and forgets.
#include "storage/account/maildir_account.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"
#include "tests/support/sim/machine.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

const std::string inbox_path = Machine::account_path;

class Account {
 public:
  Account() : machine_(std::make_unique<SimulatedDisk>()) {
    must(machine_.start());
    inbox_ = must(store().find_mailbox(MailboxName::inbox())).id;
    version();
  }

  Machine& machine() { return machine_; }
  SimulatedDisk& disk() { return machine_.disk(); }
  storage::AccountStore& store() { return machine_.account(); }
  MailboxId inbox() const { return inbox_; }
  storage::MailboxVersionPtr version() { return must(store().version(inbox())); }

  Uid append(const Flags& flags = {}) {
    const std::shared_ptr<storage::Incoming> message = must(store().begin_incoming(1 << 20));
    must(message->write(sample_message(++number_)));
    must(message->finish());
    return must(store().append(inbox(), {storage::AppendItem{message, flags, std::nullopt}})).uids.min();
  }
  void set(Uid uid, std::string_view flags) {
    must(store().store_flags(inbox(), UidSet{uid}, FlagChange::replace, make_flags(flags)));
  }
  std::string only_name() { return must(disk().list(inbox_path + "/cur")).at(0); }
  // A clean stop, what `meanwhile` does to the disk, and a start.
  void restart(const std::function<void()>& meanwhile) {
    must(machine_.stop());
    meanwhile();
    must(machine_.start());
  }

 private:
  Machine machine_;
  MailboxId inbox_;
  std::uint32_t number_ = 0;
};

void write_file(SimulatedDisk& disk, const std::string& path, std::string_view content) {
  const std::unique_ptr<storage::File> file = must(disk.create(path, storage::FileSystem::Existing::truncate));
  must(file->append(content));
}

TEST_CASE("An append and a change of one flag cost as many calls in a mailbox of 300 as in one of 3") {
  const auto calls_at = [](int messages) {
    Account account;
    for (int i = 0; i < messages; ++i) account.append();
    account.version();
    account.disk().reset_counts();
    const Uid uid = account.append();
    account.set(uid, "\\Seen");
    CHECK(account.disk().count(Call::list) == 0);
    return account.disk().count(Call::sync) + account.disk().count(Call::sync_directory) +
           account.disk().count(Call::link) + account.disk().count(Call::open);
  };
  CHECK(calls_at(300) == calls_at(3));
}

TEST_CASE("An append is synced twice and a flag change once when the account is in use") {
  Account account;
  const Uid first = account.append();
  account.disk().reset_counts();
  account.append();
  CHECK(account.disk().count(Call::sync) == 1);            // the spool
  CHECK(account.disk().count(Call::sync_directory) == 1);  // cur/, with the UID in the name
  account.disk().reset_counts();
  account.set(first, "\\Seen");
  CHECK(account.disk().count(Call::sync) == 1);  // the index
  CHECK(account.disk().count(Call::sync_directory) == 0);
}

TEST_CASE("Flags reach the file's name after a second of quiet, and after five in any case") {
  using std::chrono::milliseconds;
  Account account;
  const Uid uid = account.append();
  must(account.machine().run_background());
  account.set(uid, "\\Seen");
  CHECK(must(account.store().background_step()).due_in <= milliseconds(1001));
  CHECK(account.only_name().ends_with(":2,"));
  account.machine().clock().advance(milliseconds(1100));
  must(account.store().background_step());
  CHECK(account.only_name().ends_with(":2,S"));
  for (int tenth = 0; tenth < 56; tenth += 8) {
    account.set(uid, tenth % 16 == 0 ? "\\Flagged" : "\\Answered");
    account.machine().clock().advance(milliseconds(800));
    must(account.store().background_step());
    CHECK(account.only_name().ends_with(":2,S") == (tenth < 48));
  }
  account.set(uid, "\\Draft");
  must(account.machine().stop());
  CHECK(account.only_name().ends_with(":2,D"));
}

TEST_CASE("Forty keywords, of which only 26 have letters, come back after the index is lost") {
  Account account;
  Flags flags;
  for (int i = 0; i < 40; ++i) flags.add_keyword("keyword" + std::to_string(i));
  const Uid appended = account.append(flags);
  const Uid stored = account.append();
  must(account.store().store_flags(account.inbox(), UidSet{stored}, FlagChange::add, flags));
  must(account.store().store_flags(account.inbox(), UidSet{stored}, FlagChange::remove, make_flags("keyword39")));
  account.restart([&] { lose_index(account.disk()); });
  const storage::MailboxVersionPtr version = account.version();
  CHECK(version->flags_of(*version->find(appended)) == flags);
  flags.remove_keyword("keyword39");
  CHECK(version->flags_of(*version->find(stored)) == flags);
}

TEST_CASE("An index that is damaged, of another kind, or restored from before is filled again from the folders") {
  const std::string index = inbox_path + "/index.sqlite";
  Account account;
  const Uid first = account.append();
  must(account.machine().stop());
  const std::string old = must(storage::read_file(account.disk(), index, 1 << 24));
  must(account.machine().start());
  const Uid second = account.append();
  account.set(first, "\\Flagged");
  const std::string bad_page = old.substr(0, 4096) + std::string(old.size() - 4096, 'x');
  for (const std::string& content : {std::string("no database"), std::string(), bad_page, old}) {
    account.restart([&] { write_file(account.disk(), index, content); });
    const storage::MailboxVersionPtr version = account.version();
    CHECK(version->all_uids() == UidSet{first, second});
    CHECK(version->flags_of(*version->find(first)) == make_flags("\\Flagged"));
  }
  CHECK(account.append() > second);
}

TEST_CASE("A damaged folder file refuses its mailbox, with file and reason in the log, and no other") {
  Account account;
  const MailboxId box = must(account.store().create_mailbox(must(MailboxName::from_utf8("Box")))).id;
  account.restart([&] { write_file(account.disk(), inbox_path + "/.Box/postkeep-mailbox", "postkeep-mailbox 1\n"); });
  const auto version = account.store().version(box);
  REQUIRE(kind_of(version) == ErrorKind::corruption);
  CHECK(version.error().detail.find("postkeep-mailbox") != std::string::npos);
  CHECK(account.append() == Uid(1));
}

TEST_CASE("A mailbox made again, or after postkeep-account was lost, has a larger UIDVALIDITY") {
  Account account;
  const MailboxName name = must(MailboxName::from_utf8("Box"));
  const auto first = must(account.store().create_mailbox(name));
  must(account.store().delete_mailbox(name));
  const auto second = must(account.store().create_mailbox(name));
  CHECK(second.uid_validity > first.uid_validity);
  CHECK(second.id != first.id);
  account.restart([&] { must(account.disk().unlink(inbox_path + "/postkeep-account")); });
  must(account.store().delete_mailbox(name));
  CHECK(must(account.store().create_mailbox(name)).uid_validity > second.uid_validity);
}

}  // namespace
}  // namespace postkeep::test
