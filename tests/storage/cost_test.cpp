// No operation costs time in proportion to the mailbox unless it asked for the mailbox (design, promise 8). Counted in
// calls to the disk, SQLite's included, on the simulated one: the same operation on a small and on a large mailbox.
#include <doctest/doctest.h>

#include <functional>

#include "storage/backends.h"
#include "tests/support/fake_clock.h"
#include "tests/support/results.h"
#include "tests/support/simulated_disk.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

constexpr std::uint32_t small = 40;
constexpr std::uint32_t large = 2'000;
// A larger B-tree has a level more, and its pages are in the cache less often.
constexpr std::uint64_t allowance = 12;

// An account with one filled mailbox, on the simulated disk.
class Filled {
  SimulatedDisk disk_;
  FakeClock clock_;
  storage::StoreOptions options_;
  std::unique_ptr<storage::MailStore> store_;

 public:
  std::unique_ptr<storage::AccountStore> account;  // goes first
  MailboxId box;
  MailboxId other;

  explicit Filled(std::uint32_t count) {
    options_.data_dir = "/data";
    must(disk_.make_directory("/data"));
    disk_.set_now(std::chrono::time_point_cast<std::chrono::nanoseconds>(clock_.now()));
    open();
    box = must(account->create_mailbox(StoreFixture::name("Filled"))).id;
    other = must(account->create_mailbox(StoreFixture::name("Other"))).id;
    std::vector<storage::AppendItem> items;
    for (std::uint32_t i = 0; i < count; ++i) items.push_back({incoming(sample_message(i)), {}, std::nullopt});
    must(account->append(box, items));
    rest();
  }

  std::shared_ptr<storage::Incoming> incoming(const std::string& content) {
    auto message = must(account->begin_incoming(1'000'000));
    must(message->write(content));
    must(message->finish());
    return message;
  }
  void rest() {
    for (int i = 0; i < 1'000; ++i) {
      clock_.advance(std::chrono::seconds(5));
      disk_.set_now(std::chrono::time_point_cast<std::chrono::nanoseconds>(clock_.now()));
      if (!must(account->background_step()).due_in) return;
    }
    FAIL("background work does not end");
  }
  void open() {
    store_ = must(storage::open_mail_store("maildir", options_, disk_, clock_));
    account = must(store_->open("tess", nullptr));
  }
  void reopen() {
    must(account->close());
    account.reset();
    store_.reset();
    open();
  }

  struct Cost {
    std::uint64_t calls = 0;
    std::uint64_t opened = 0;
    std::uint64_t listed = 0;
  };
  Cost cost_of(const std::function<void(Filled&)>& operation) {
    disk_.reset_counts();
    operation(*this);
    return Cost{disk_.calls(), disk_.count(Call::open), disk_.count(Call::list)};
  }
};

const Uid one_uid(20);
const UidSet one_message = {one_uid};

void append_one(Filled& mail) { must(mail.account->append(mail.box, {{mail.incoming("x\r\n"), {}, std::nullopt}})); }

TEST_CASE("Operations on few messages cost the same in a large mailbox as in a small one") {
  struct Operation {
    const char* name;
    std::function<void(Filled&)> run;
  };
  const std::vector<Operation> operations = {
      {"append", append_one},
      {"status", [](Filled& mail) { must(mail.account->status(mail.box)); }},
      {"version", [](Filled& mail) { must(mail.account->version(mail.box)); }},
      {"fetch",
       [](Filled& mail) {
         must(mail.account->fetch(mail.box, one_message, {true, true, true, true, true, true, true}));
       }},
      {"open", [](Filled& mail) { must(mail.account->open_message(mail.box, one_uid)); }},
      {"store",
       [](Filled& mail) {
         must(mail.account->store_flags(mail.box, one_message, FlagChange::add, make_flags("\\Deleted")));
       }},
      {"search",
       [](Filled& mail) {
         SearchKey key;
         key.kind = SearchKey::Kind::subject;
         key.needle = "number";
         CHECK(must(mail.account->search(mail.box, key, one_message)) == one_message);
       }},
      {"copy", [](Filled& mail) { must(mail.account->copy(mail.box, one_message, mail.other)); }},
      {"expunge", [](Filled& mail) { CHECK(must(mail.account->expunge(mail.box, one_message)) == one_message); }},
      {"move", [](Filled& mail) { must(mail.account->move(mail.box, UidSet{Uid(21)}, mail.other)); }},
      {"background", [](Filled& mail) { must(mail.account->background_step()); }},
      {"refresh", [](Filled& mail) { must(mail.account->refresh(mail.other)); }},
      {"list", [](Filled& mail) { must(mail.account->list_mailboxes()); }},
  };
  Filled few(small);
  Filled many(large);
  must(few.account->version(few.box));
  must(many.account->version(many.box));
  for (const Operation& operation : operations) {
    const Filled::Cost in_small = few.cost_of(operation.run);
    const Filled::Cost in_large = many.cost_of(operation.run);
    const std::string name = operation.name;
    CAPTURE(name);
    CAPTURE(in_small.calls);
    CHECK(in_large.calls <= in_small.calls + allowance);
    CHECK(in_large.opened <= in_small.opened);
    CHECK(in_large.listed <= in_small.listed);
  }
}

TEST_CASE("Opening an account after a clean stop and delivering to a large mailbox reads none of it") {
  const auto open_and_deliver = [](Filled& mail) {
    mail.open();
    append_one(mail);
  };
  Filled few(small);
  Filled many(large);
  for (Filled* mail : {&few, &many}) {
    must(mail->account->close());
    mail->account.reset();
  }
  const Filled::Cost in_small = few.cost_of(open_and_deliver);
  const Filled::Cost in_large = many.cost_of(open_and_deliver);
  CHECK(in_large.calls <= in_small.calls + allowance);
  CHECK(in_large.listed == in_small.listed);
}

TEST_CASE("A listing of 500 messages opens no message file") {
  Filled mail(500);
  const UidSet all = must(mail.account->version(mail.box))->all_uids();
  const Filled::Cost cost = mail.cost_of([&](Filled& filled) {
    CHECK(must(filled.account->fetch(filled.box, all, {true, true, true, true, true, true, true})).size() == 500);
  });
  CHECK(cost.opened == 0);
  CHECK(cost.listed == 0);
}

TEST_CASE("The sizes that a POP3 login asks for open no message file, right after a delivery too") {
  Filled mail(500);
  append_one(mail);
  const UidSet all = must(mail.account->version(mail.box))->all_uids();
  storage::FetchWants wants;
  wants.size = true;
  wants.line_end = true;
  const Filled::Cost cost =
      mail.cost_of([&](Filled& filled) { CHECK(must(filled.account->fetch(filled.box, all, wants)).size() == 501); });
  CHECK(cost.opened == 0);
}

TEST_CASE("A search by date, size and subject opens no message file, one_message of bodies opens each once") {
  Filled mail(100);
  const UidSet all = must(mail.account->version(mail.box))->all_uids();
  const auto search = [&](SearchKey::Kind kind, const char* needle) {
    SearchKey key;
    key.kind = kind;
    key.needle = needle;
    return mail.cost_of([&](Filled& filled) { must(filled.account->search(filled.box, key, all)); });
  };
  CHECK(search(SearchKey::Kind::subject, "number").opened == 0);
  CHECK(search(SearchKey::Kind::larger, "").opened == 0);
  CHECK(search(SearchKey::Kind::since, "").opened == 0);
  CHECK(search(SearchKey::Kind::body, "nowhere").opened == 100);
}

TEST_CASE("The measure works: what asks for the mailbox costs more in a large one") {
  const auto read_whole = [](Filled& mail) {
    mail.reopen();
    must(mail.account->version(mail.box));
  };
  Filled few(small);
  Filled many(large);
  CHECK(many.cost_of(read_whole).calls > few.cost_of(read_whole).calls + allowance);
}

}  // namespace
}  // namespace postkeep::test
