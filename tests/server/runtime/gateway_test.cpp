#include "server/runtime/gateway.h"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "server/runtime/change_hub.h"
#include "server/runtime/runtime.h"
#include "storage/posix_file_system.h"
#include "tests/server/runtime/eventually.h"
#include "tests/support/results.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace std::chrono_literals;
using test::must;

using test::eventually;

namespace {

struct World {
  explicit World(Gateway::Options options = Gateway::Options(), const std::string& backend = "memory")
      : mail(must(storage::open_mail_store(backend, in(directory), *files, storage::system_clock()))),
        gateway(runtime.storage_pool(), *mail, hub, options, [](const std::string&, const Error&) {}) {}
  ~World() {
    gateway.close(10s);
    runtime.join();
  }
  template <class T>
  T wait(asio::awaitable<T> call) {
    return asio::co_spawn(runtime.io(0), std::move(call), asio::use_future).get();
  }
  static storage::StoreOptions in(const test::TemporaryDirectory& directory) {
    storage::StoreOptions options;
    options.data_dir = directory / "data";
    options.watch_folders = true;
    return options;
  }
  test::TemporaryDirectory directory;
  Runtime runtime{Runtime::Options{2, 8, 1}};
  std::unique_ptr<storage::FileSystem> files = storage::posix_file_system();
  std::unique_ptr<storage::MailStore> mail;
  ChangeHub hub;
  Gateway gateway;
};

// What the jobs of one account found.
struct Ledger {
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  unsigned counter = 0;  // not atomic: the strand is all that protects it, and TSan looks on
};

Awaitable<Result<unsigned>> count(Gateway& gateway, AccountPtr account, Ledger& ledger) {
  return gateway.run(std::move(account), [&ledger](storage::AccountStore&) -> Result<unsigned> {
    if (++ledger.inside != 1) ++ledger.overlaps;
    const unsigned now = ++ledger.counter;
    std::this_thread::yield();
    --ledger.inside;
    return now;
  });
}

struct Found {
  std::atomic<int> wrong_thread{0};
  std::atomic<int> out_of_order{0};
};

asio::awaitable<void> session(Gateway& gateway, AccountPtr account, Ledger& ledger, int calls, Found& found) {
  const std::thread::id mine = std::this_thread::get_id();
  unsigned last = 0;
  for (int i = 0; i < calls; ++i) {
    const auto answer = co_await count(gateway, account, ledger);
    if (std::this_thread::get_id() != mine) ++found.wrong_thread;
    if (!answer || *answer <= last) ++found.out_of_order;
    if (answer) last = *answer;
  }
}

Awaitable<Outcome> throwing(Gateway& gateway, AccountPtr account) {
  return gateway.run(std::move(account),
                     [](storage::AccountStore&) -> Outcome { throw std::runtime_error("the job broke"); });
}

Awaitable<Outcome> set_limits(Gateway& gateway, AccountPtr account, storage::QuotaLimits limits) {
  return gateway.run(std::move(account), [limits](storage::AccountStore& store) { return store.set_quota(limits); });
}

asio::awaitable<Result<storage::AppendResult>> append(Gateway& gateway, AccountPtr account) {
  const auto inbox = co_await gateway.find_mailbox(account, MailboxName::inbox());
  const auto message = must(co_await gateway.begin_incoming(1'000));
  must(co_await gateway.write(message, "Subject: x\r\n\r\nhello\r\n"));
  must(co_await gateway.finish(message));
  std::vector<storage::AppendItem> items(1);
  items.front().message = message;
  auto appended = co_await gateway.append(account, must(inbox).id, std::move(items));
  co_return appended;
}

}  // namespace

TEST_CASE("jobs of one account never overlap, and callers go on where they were") {
  World world;
  constexpr int sessions = 12, calls = 100;
  std::array<Ledger, 3> ledgers;
  Found found;
  std::vector<std::future<void>> ends;
  for (int i = 0; i < sessions; ++i) {
    const AccountPtr account = world.gateway.account("user" + std::to_string(i % 3));
    ends.push_back(asio::co_spawn(world.runtime.io(i % 2),
                                  session(world.gateway, account, ledgers[i % 3], calls, found), asio::use_future));
  }
  for (auto& end : ends) end.get();
  for (const Ledger& ledger : ledgers) {
    CHECK(ledger.overlaps == 0);
    CHECK(ledger.counter == sessions / 3 * calls);
  }
  CHECK(found.wrong_thread == 0);
  CHECK(found.out_of_order == 0);
}

TEST_CASE("what a job throws comes out of the await, and the account goes on") {
  World world;
  const AccountPtr account = world.gateway.account("alice");
  CHECK_THROWS_WITH(world.wait(throwing(world.gateway, account)), "the job broke");
  CHECK(world.wait(world.gateway.list_mailboxes(account)).has_value());
}

TEST_CASE("a change has marked the watches when its maker hears of it") {
  World world;
  asio::io_context other_session;
  const auto watch = world.hub.subscribe("alice", other_session.get_executor());
  const AccountPtr account = world.gateway.account("alice");
  must(world.wait(world.gateway.list_mailboxes(account)));
  watch->take();
  must(world.wait(append(world.gateway, account)));
  CHECK(watch->take());
}

TEST_CASE("the same user is the same account") {
  World world;
  const AccountPtr account = world.gateway.account("alice");
  CHECK(world.gateway.account("alice") == account);
  CHECK(world.gateway.account("bob") != account);
}

TEST_CASE("no more accounts stay open than the cap says, and closed ones open again") {
  Gateway::Options options;
  options.open_accounts_max = 2;
  World world(options);
  for (int i = 0; i < 6; ++i) {
    must(world.wait(world.gateway.list_mailboxes(world.gateway.account("user" + std::to_string(i)))));
    std::this_thread::sleep_for(110ms);  // an account in use is not closed
  }
  CHECK(eventually([&] { return world.gateway.open_accounts() <= 2; }));
  CHECK(world.wait(world.gateway.list_mailboxes(world.gateway.account("user0"))).has_value());
}

TEST_CASE("an account that nobody uses is closed, and keeps its mail") {
  Gateway::Options options;
  options.close_after = 20ms;
  World world(options);
  const AccountPtr account = world.gateway.account("alice");
  must(world.wait(append(world.gateway, account)));
  CHECK(eventually([&] { return world.gateway.open_accounts() == 0; }));
  const auto inbox = must(world.wait(world.gateway.find_mailbox(account, MailboxName::inbox())));
  CHECK(must(world.wait(world.gateway.status(account, inbox.id))).messages == 1);
}

TEST_CASE("that nothing limits an account is known while it is open, and no longer than it is true") {
  World world;
  const AccountPtr account = world.gateway.account("alice");
  CHECK_FALSE(Gateway::is_unlimited(*account));
  must(world.wait(append(world.gateway, account)));
  CHECK(Gateway::is_unlimited(*account));
  storage::QuotaLimits limits;
  limits.octets = 1'000;
  must(world.wait(set_limits(world.gateway, account, limits)));
  CHECK_FALSE(Gateway::is_unlimited(*account));
  must(world.wait(set_limits(world.gateway, account, storage::QuotaLimits())));
  CHECK(Gateway::is_unlimited(*account));
  world.gateway.close(10s);
  CHECK_FALSE(Gateway::is_unlimited(*account));
}

TEST_CASE("the end of a watch opens no account that is closed") {
  Gateway::Options options;
  options.close_after = 20ms;
  World world(options, "maildir");
  const AccountPtr account = world.gateway.account("alice");
  const auto inbox = must(world.wait(world.gateway.find_mailbox(account, MailboxName::inbox())));
  FolderWatchPtr watch = must(world.wait(world.gateway.watch_folder(account, inbox.id)));
  REQUIRE(eventually([&] { return world.gateway.open_accounts() == 0; }));
  const std::uint64_t closed = world.gateway.closed_accounts();
  watch.reset();
  std::this_thread::sleep_for(100ms);
  CHECK(world.gateway.open_accounts() == 0);
  CHECK(world.gateway.closed_accounts() == closed);
}

TEST_CASE("a closed gateway has no account open and refuses all work") {
  World world;
  const AccountPtr account = world.gateway.account("alice");
  must(world.wait(world.gateway.list_mailboxes(account)));
  CHECK(world.gateway.close(10s));
  CHECK(world.gateway.open_accounts() == 0);
  CHECK(test::kind_of(world.wait(world.gateway.list_mailboxes(account))) == ErrorKind::unavailable);
}

TEST_CASE("closing while accounts are in use neither hangs nor leaves one open") {
  World world;
  std::array<Ledger, 4> ledgers;
  Found found;
  std::vector<std::future<void>> ends;
  for (std::size_t i = 0; i < ledgers.size(); ++i) {
    const AccountPtr account = world.gateway.account("user" + std::to_string(i));
    ends.push_back(asio::co_spawn(world.runtime.io(i % 2), session(world.gateway, account, ledgers[i], 200, found),
                                  asio::use_future));
  }
  std::this_thread::sleep_for(2ms);
  world.gateway.close(10s);
  for (auto& end : ends) end.get();
  CHECK(eventually([&] { return world.gateway.open_accounts() == 0; }));
}

TEST_CASE("removing mail empties the account") {
  World world;
  const AccountPtr account = world.gateway.account("alice");
  must(world.wait(append(world.gateway, account)));
  must(world.gateway.remove_mail("alice"));
  CHECK(world.gateway.open_accounts() == 0);
  const auto inbox = must(world.wait(world.gateway.find_mailbox(account, MailboxName::inbox())));
  CHECK(must(world.wait(world.gateway.status(account, inbox.id))).messages == 0);
}

TEST_CASE("mail gets another name though it is open, and nobody uses that name while it is held") {
  World world;
  const MailboxName kept = must(MailboxName::from_utf8("Kept"));
  must(world.wait(world.gateway.create_mailbox(world.gateway.account("old"), kept)));
  {
    const Gateway::Hold hold = world.gateway.hold("new");
    const auto refused = world.wait(world.gateway.list_mailboxes(world.gateway.account("new")));
    CHECK(test::kind_of(refused) == ErrorKind::unavailable);
    CHECK_FALSE(must(world.mail->exists("new")));
    must(world.wait(world.gateway.list_mailboxes(world.gateway.account("other"))));
    must(world.gateway.rename_mail("old", "new"));
  }
  CHECK(must(world.wait(world.gateway.find_mailbox(world.gateway.account("new"), kept))).exists);
  CHECK_FALSE(must(world.mail->exists("old")));
  CHECK(test::kind_of(world.gateway.rename_mail("old", "newer")) == ErrorKind::not_found);
}
