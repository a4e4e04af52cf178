// RENAME of a mailbox with inferiors on a disk that fails: all of it or nothing, and what it leaves never takes hold of
// mailboxes that have its names later.
#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <string>

#include "storage/maildir/intent.h"
#include "tests/support/results.h"
#include "tests/support/sim/machine.h"

namespace postkeep::test {
namespace {

MailboxName named(const std::string& utf8) { return must(MailboxName::from_utf8(utf8)); }

// An account with INBOX, A and A/B.
class RenamedAccount {
 public:
  RenamedAccount() : machine_(std::make_unique<SimulatedDisk>()) {
    must(machine_.start());
    must(store().create_mailbox(named("A/B")));
  }
  SimulatedDisk& disk() { return machine_.disk(); }
  storage::AccountStore& store() { return machine_.account(); }
  Outcome rename(const std::string& from, const std::string& to) {
    return store().rename_mailbox(named(from), named(to));
  }
  storage::Mailbox find(const std::string& utf8) { return must(store().find_mailbox(named(utf8))); }
  // Of all mailboxes, for instance "A A/B INBOX".
  std::string names() {
    std::string all;
    for (const storage::Mailbox& mailbox : must(store().list_mailboxes())) {
      if (mailbox.exists) all += (all.empty() ? "" : " ") + mailbox.name.utf8();
    }
    return all;
  }
  void restart(const std::function<void()>& meanwhile = [] {}) {
    must(machine_.stop());
    meanwhile();
    must(machine_.start());
  }
  // As after a power cut that loses nothing.
  void cut_off() {
    machine_.halt();
    must(machine_.start());
  }
  std::size_t intents() { return must(storage::maildir::list_intents(disk(), Machine::account_path)).intents.size(); }
  // The number of the call that renames the second folder, counted from now.
  static std::uint64_t second_rename() {
    RenamedAccount account;
    account.disk().reset_counts();
    account.disk().start_trace();
    must(account.rename("A", "X"));
    std::uint64_t call = 0;
    int renames = 0;
    for (const std::string& line : account.disk().trace()) {
      if (line.find(" rename ") != std::string::npos && ++renames == 2) call = std::stoull(line);
    }
    REQUIRE(call != 0);
    return call;
  }

 private:
  Machine machine_;
};

TEST_CASE("A RENAME whose intent cannot be removed is done, and is not carried on when its names are others'") {
  for (const bool clean : {true, false}) {
    RenamedAccount account;
    const MailboxId first = account.find("A").id;
    account.disk().fail_next(Call::unlink, EIO);
    must(account.rename("A", "X"));
    CHECK(account.intents() == 1);
    must(account.rename("X", "Z"));
    CHECK(account.intents() == 0);
    const MailboxId second = must(account.store().create_mailbox(named("A"))).id;
    clean ? account.restart() : account.cut_off();
    CHECK(account.names() == "A INBOX Z Z/B");
    CHECK(account.find("A").id == second);
    CHECK(account.find("Z").id == first);
  }
}

TEST_CASE("A RENAME that fails half way is undone and stays undone, also if its intent cannot be removed") {
  const std::uint64_t call = RenamedAccount::second_rename();
  RenamedAccount account;
  account.disk().reset_counts();
  account.disk().fail_at(call, EIO);
  account.disk().fail_next(Call::unlink, EIO);
  CHECK(kind_of(account.rename("A", "X")) == ErrorKind::unavailable);
  CHECK(account.names() == "A A/B INBOX");
  CHECK(account.intents() == 1);
  account.restart();
  CHECK(account.names() == "A A/B INBOX");
  CHECK(account.intents() == 0);
}

TEST_CASE("A RENAME that fails half way and cannot be undone is carried on before folders change again") {
  const std::uint64_t call = RenamedAccount::second_rename();
  RenamedAccount account;
  account.disk().reset_counts();
  account.disk().fail_at(call, EIO, 2);
  CHECK(kind_of(account.rename("A", "X")) == ErrorKind::unavailable);
  CHECK(account.intents() == 1);
  must(account.store().create_mailbox(named("A")));
  CHECK(account.names() == "A INBOX X X/B");
  CHECK(account.intents() == 0);
}

TEST_CASE("Recovery carries a RENAME on for the folders that it was about, and for no others of their names") {
  for (const bool same : {true, false}) {
    RenamedAccount account;
    const std::uint32_t identity = account.find("A").uid_validity.value() + (same ? 0 : 1000);
    account.restart([&] {
      storage::maildir::Intent intent;
      intent.kind = storage::maildir::Intent::Kind::rename;
      intent.entries.push_back({Uid(identity), Uid(0), ".A", ".X"});
      must(storage::maildir::write_intent(account.disk(), Machine::account_path, 1, intent));
    });
    CHECK(account.names() == (same ? "A/B INBOX X" : "A A/B INBOX"));
    CHECK(account.intents() == 0);
  }
}

}  // namespace
}  // namespace postkeep::test
