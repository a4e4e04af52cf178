// What the checks behind `postkeep doctor` find, one damage after the other, and that a repaired account is sound.
#include "storage/check.h"

#include <doctest/doctest.h>

#include "storage/index/database.h"
#include "tests/support/results.h"
#include "tests/support/sim/machine.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using storage::Finding;
using storage::Repair;
using State = Finding::State;

class CheckedAccount {
 public:
  CheckedAccount() : machine_(std::make_unique<SimulatedDisk>()) {
    must(machine_.start());
    inbox_ = must(store().find_mailbox(MailboxName::inbox())).id;
    for (std::uint32_t number = 1; number <= 3; ++number) append(number);
    must(machine_.run_background());
    REQUIRE(check(Repair::no).empty());
  }

  SimulatedDisk& disk() { return machine_.disk(); }
  SimulatedClock& clock() { return machine_.clock(); }
  storage::AccountStore& store() { return machine_.account(); }
  MailboxId inbox() const { return inbox_; }
  std::string path(const std::string& name) const { return std::string(Machine::account_path) + "/" + name; }
  std::string message_path(std::uint32_t uid) {
    for (const std::string& name : must(disk().list(path("cur")))) {
      if (name.find("-" + std::to_string(uid) + ":") != std::string::npos) return path("cur/" + name);
    }
    FAIL("no such message");
    return {};
  }
  void write(const std::string& file, std::string_view content) {
    must(must(disk().create(file, storage::FileSystem::Existing::truncate))->append(content));
  }
  void restart(const std::function<void()>& meanwhile) {
    must(machine_.stop());
    meanwhile();
    must(machine_.start());
  }

  // Everything that `doctor` does.
  std::vector<Finding> check(Repair repair) {
    std::vector<Finding> all = must(store().check_account(repair));
    for (Finding& finding : must(store().check_mailbox(inbox_, repair))) all.push_back(std::move(finding));
    const Result<storage::MailboxVersionPtr> version = store().version(inbox_);
    if (!version) return all;
    for (const storage::MessageToCheck& message : must(store().messages_to_check(inbox_, (*version)->all_uids()))) {
      std::optional<Finding> finding = storage::check_message(message);
      if (finding && repair == Repair::yes && finding->mended_by_forgetting)
        must(store().forget_content(inbox_, UidSet{message.uid}));
      if (finding) all.push_back(std::move(*finding));
    }
    return all;
  }
  // One thing is found, of that state, about that; repaired it is gone.
  void finds(State state, std::string_view what) {
    const std::vector<Finding> found = check(Repair::no);
    REQUIRE(found.size() == 1);
    CAPTURE(found[0].what);
    CHECK(found[0].state == state);
    CHECK(found[0].what.find(what) != std::string::npos);
    CHECK_FALSE(check(Repair::yes).empty());
    CHECK(check(Repair::no).empty());
  }

 private:
  void append(std::uint32_t number) {
    const std::shared_ptr<storage::Incoming> message = must(store().begin_incoming(1 << 20));
    must(message->write(sample_message(number)));
    must(message->finish());
    must(store().append(inbox_, {storage::AppendItem{message, {}, std::nullopt}}));
  }

  Machine machine_;
  MailboxId inbox_;
};

TEST_CASE("A message whose file changed or was cut is found, and taken as it is when repaired") {
  for (const std::string_view content : {"Subject: another\r\n\r\nwith another text\r\n", "", "Subject: cut"}) {
    CheckedAccount account;
    account.write(account.message_path(2), content);
    account.finds(State::damage, "not what it was");
    storage::FetchWants wants;
    wants.size = true;
    const auto rows = must(account.store().fetch(account.inbox(), uid_set({2}), wants));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].size == content.size());
  }
}

TEST_CASE("A message with the same size and other octets is found by its digest") {
  CheckedAccount account;
  std::string content = must(storage::read_file(account.disk(), account.message_path(1), 1 << 20));
  content[content.size() - 4] ^= 1;
  account.write(account.message_path(1), content);
  account.finds(State::damage, "not what it was");
}

TEST_CASE("What the index has of a message is compared with the message, its numbers with the messages") {
  const auto damaged_by = [](const char* sql) {
    CheckedAccount account;
    account.restart([&] {
      const auto index =
          must(storage::Database::open(account.disk(), account.path("index.sqlite"), storage::Database::Options{}));
      must(index->execute(sql));
    });
    return account.check(Repair::yes);
  };
  const std::vector<Finding> cache =
      damaged_by("UPDATE cache SET envelope = x'28' WHERE rowid IN (SELECT min(id) FROM cache)");
  REQUIRE(cache.size() == 1);
  CHECK(cache[0].what.find("something else") != std::string::npos);
  const std::vector<Finding> numbers = damaged_by("UPDATE mailbox SET messages = 7, octets = 1");
  REQUIRE(numbers.size() == 1);
  CHECK(numbers[0].what.find("STATUS") != std::string::npos);
  CHECK(numbers[0].state == State::repaired);
}

TEST_CASE("An index that is scribbled on is found and made anew, with the same UIDs") {
  CheckedAccount account;
  const UidSet before = must(account.store().version(account.inbox()))->all_uids();
  account.restart([&] {
    std::string index = must(storage::read_file(account.disk(), account.path("index.sqlite"), 1 << 26));
    for (std::size_t at = 8192; at < index.size(); at += 4096) index.replace(at, 64, std::string(64, '\x5a'));
    account.write(account.path("index.sqlite"), index);
  });
  account.check(Repair::yes);
  const std::vector<Finding> left = account.check(Repair::no);
  REQUIRE(left.size() == 1);
  CHECK(left[0].state == State::note);
  CHECK(left[0].what.find("put aside") != std::string::npos);
  CHECK(must(account.store().version(account.inbox()))->all_uids() == before);
}

TEST_CASE("Files that do not belong there are told, and only our own leftovers are removed") {
  CheckedAccount account;
  account.write(account.path("postkeep-mailbox.new"), "half");
  account.write(account.path("tmp/1.left"), "half");
  account.clock().advance(std::chrono::hours(40));
  account.write(account.path("dovecot-uidlist"), "3 V1 N1");
  account.write(account.path("tmp/2.under-way"), "half");
  must(account.disk().set_modified(account.path("tmp/2.under-way"), account.clock().now()));
  const std::vector<Finding> found = account.check(Repair::yes);
  REQUIRE(found.size() == 3);
  CHECK(found[0].what.find("postkeep-mailbox.new") != std::string::npos);
  CHECK(found[1].what.find("tmp/1.left") != std::string::npos);
  CHECK(found[2].what.find("dovecot-uidlist") != std::string::npos);
  const std::vector<Finding> left = account.check(Repair::no);
  REQUIRE(left.size() == 1);
  CHECK(left[0].state == State::note);
  CHECK(account.disk().info(account.path("dovecot-uidlist")));
  CHECK(account.disk().info(account.path("tmp/2.under-way")));
}

TEST_CASE("A damaged folder file is told with its line, and torn record lines are removed") {
  CheckedAccount account;
  account.write(account.path("postkeep-uids"), "postkeep-uids 1\nuid 17 170000 ~0000");
  account.finds(State::damage, "postkeep-uids cannot be read");
  account.restart([&] {
    const std::string file = account.path("postkeep-mailbox");
    std::string text = must(storage::read_file(account.disk(), file, 1 << 20));
    text.replace(text.find("uid-validity ") + 13, 1, "7");
    account.write(file, text);
  });
  const std::vector<Finding> found = account.check(Repair::yes);
  REQUIRE(found.size() == 1);
  CHECK(found[0].state == State::damage);
  CHECK(found[0].what.find("postkeep-mailbox is damaged") != std::string::npos);
}

TEST_CASE("Files that came and went without the index knowing are taken in and told") {
  CheckedAccount account;
  must(account.disk().unlink(account.message_path(1)));
  account.write(account.path("new/1500000000.1.other"), "Subject: came\n\nby another way\n");
  const std::vector<Finding> found = account.check(Repair::no);
  REQUIRE(found.size() == 2);
  CHECK(found[0].what.find("1 message file that the index did not know") != std::string::npos);
  CHECK(found[1].what.find("1 message of the index had no file") != std::string::npos);
  CHECK(account.check(Repair::no).empty());
}

// A disk that fails in the middle of a message.
class FailingReader final : public storage::MessageReader {
 public:
  std::uint64_t size() const override { return 1000; }
  Outcome read(std::uint64_t, std::size_t, std::string&) override {
    return failure(ErrorKind::unavailable, "The disk fails", "pread: EIO");
  }
};

TEST_CASE("What cannot be read is told as it is, and never as mended by reading it again") {
  storage::MessageToCheck message;
  message.uid = Uid(7);
  message.reader = std::make_unique<FailingReader>();
  const std::optional<Finding> finding = storage::check_message(message);
  REQUIRE(finding);
  CHECK(finding->state == State::damage);
  CHECK(finding->uid == Uid(7));
  CHECK(finding->what.find("EIO") != std::string::npos);
  CHECK_FALSE(finding->mended_by_forgetting);
}

TEST_CASE("Messages without files in the index have it made anew") {
  CheckedAccount account;
  const UidSet before = must(account.store().version(account.inbox()))->all_uids();
  account.restart([&] {
    const auto index =
        must(storage::Database::open(account.disk(), account.path("index.sqlite"), storage::Database::Options{}));
    must(index->execute("DELETE FROM file WHERE id IN (SELECT min(id) FROM file)"));
  });
  account.check(Repair::yes);
  CHECK(must(account.store().version(account.inbox()))->all_uids() == before);
  for (const Finding& left : account.check(Repair::no)) CHECK(left.state == State::note);
}

}  // namespace
}  // namespace postkeep::test
