#include "server/runtime/quota_watch.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "server/config/settings_table.h"
#include "server/runtime/change_hub.h"
#include "server/runtime/runtime.h"
#include "storage/posix_file_system.h"
#include "tests/support/results.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using test::must;

namespace {

using server::Gateway;
using storage::AccountStore;

// A gateway that watches the quota of "alice", who may have ten messages.
class WatchedAccount {
 public:
  explicit WatchedAccount(bool by_mail)
      : settings_(settings(folder_, by_mail)),
        log_(must(Log::open(settings_.get()->log))),
        watch_(settings_, *log_),
        mail_(must(storage::open_mail_store("memory", storage::StoreOptions(), *files_, storage::system_clock()))),
        gateway_(runtime_.storage_pool(), *mail_, hub_, watching(watch_), [](const std::string&, const Error&) {}) {
    limit(10);
  }
  ~WatchedAccount() {
    gateway_.close(std::chrono::seconds(10));
    runtime_.join();
  }
  template <class Job>
  auto run(Job job) {
    return must(gateway_.run_blocking(gateway_.account("alice"), std::move(job)));
  }
  void limit(std::uint64_t messages) {
    run([messages](AccountStore& store) { return store.set_quota({std::nullopt, messages}); });
  }
  void add_messages(int count) {
    for (int i = 0; i < count; ++i) {
      run([](AccountStore& store) -> Outcome {
        std::vector<storage::AppendItem> items(1);
        items.front().message = TRY(store.begin_incoming(1000));
        TRY(items.front().message->write("Subject: x\r\n\r\n"));
        TRY(items.front().message->finish());
        const MailboxId inbox = TRY(store.find_mailbox(MailboxName::inbox())).id;
        TRY(store.append(inbox, items));
        return {};
      });
    }
  }
  void remove_all() {
    run([](AccountStore& store) -> Outcome {
      const auto inbox = TRY(store.find_mailbox(MailboxName::inbox())).id;
      const UidSet all = UidSet::of_range(Uid(1), Uid(1000));
      Flags deleted;
      deleted.set(SystemFlag::deleted);
      TRY(store.store_flags(inbox, all, FlagChange::add, deleted));
      TRY(store.expunge(inbox, all));
      return {};
    });
  }
  std::uint64_t messages() {
    return run([](AccountStore& store) -> Result<std::uint64_t> { return TRY(store.quota()).used.messages; });
  }
  // The percents that the log tells of, in order.
  std::string warnings() const {
    std::ifstream log(folder_.path() + "/log");
    std::string found;
    for (std::string line; std::getline(log, line);) {
      const std::size_t at = line.find("event=quota_warning user=alice percent=");
      if (at == std::string::npos) continue;
      const std::size_t begin = line.find("percent=") + 8;
      found += line.substr(begin, line.find(' ', begin) - begin) + ' ';
    }
    return found;
  }

 private:
  static SettingsPtr settings(const test::TemporaryDirectory& folder, bool by_mail) {
    auto made = std::make_shared<Settings>();
    made->hostname = "mail.example.org";
    made->log.file = folder.path() + "/log";
    made->quota.warn_by_mail = by_mail;
    return made;
  }
  static Gateway::Options watching(const server::QuotaWatch& watch) {
    Gateway::Options options;
    options.quota_watch = &watch;
    return options;
  }
  const test::TemporaryDirectory folder_;
  server::SettingsHolder settings_;
  std::unique_ptr<Log> log_;
  server::QuotaWatch watch_;
  std::unique_ptr<storage::FileSystem> files_ = storage::posix_file_system();
  std::unique_ptr<storage::MailStore> mail_;
  server::ChangeHub hub_;
  server::Runtime runtime_{server::Runtime::Options{1, 4, 1}};
  Gateway gateway_;
};

}  // namespace

TEST_CASE("the level is that of the fuller resource, and nothing without a limit") {
  const std::vector<unsigned> levels = {80, 95};
  storage::Quota quota;
  quota.used = {900, 9};
  CHECK(server::reached_level(quota, levels) == 0);
  quota.limits.octets = 1200;
  CHECK(server::reached_level(quota, levels) == 0);
  quota.limits.octets = 1125;  // exactly 80 %
  CHECK(server::reached_level(quota, levels) == 80);
  quota.limits.messages = 9;
  CHECK(server::reached_level(quota, levels) == 95);
  quota.used.octets = quota_storage_max * 8;
  quota.limits = {1, std::nullopt};
  CHECK(server::reached_level(quota, levels) == 95);
  CHECK(server::reached_level(quota, {}) == 0);
}

TEST_CASE("a level that is passed is told once, and again after the use was below it") {
  WatchedAccount account(false);
  account.add_messages(7);
  CHECK(account.warnings().empty());
  account.add_messages(2);
  CHECK(account.warnings() == "80 ");
  account.add_messages(1);
  CHECK(account.warnings() == "80 95 ");
  account.remove_all();
  account.add_messages(8);
  CHECK(account.warnings() == "80 95 80 ");
  CHECK(account.messages() == 8);
}

TEST_CASE("who is above a level when the account is opened is not told of it anew") {
  WatchedAccount account(false);
  account.add_messages(8);
  CHECK(account.warnings() == "80 ");
  account.limit(100);
  account.add_messages(1);
  CHECK(account.warnings() == "80 ");
}

TEST_CASE("the user gets a message if that is configured, where there is room for it") {
  WatchedAccount account(true);
  account.add_messages(8);
  CHECK(account.messages() == 9);
  const std::string text = account.run([](AccountStore& store) -> Result<std::string> {
    const MailboxId inbox = TRY(store.find_mailbox(MailboxName::inbox())).id;
    const auto reader = TRY(store.open_message(inbox, Uid(9)));
    std::string bytes;
    TRY(reader->read(0, reader->size(), bytes));
    return bytes;
  });
  CHECK(text.find("\r\nTo: <alice@mail.example.org>\r\nSubject: Your mailbox is 80% full\r\n") != std::string::npos);
  CHECK(text.find("\r\nAuto-Submitted: auto-generated\r\n") != std::string::npos);
  CHECK(text.find("\r\n  8 messages of 10\r\n") != std::string::npos);
  account.add_messages(1);  // the tenth: no room for another warning
  CHECK(account.messages() == 10);
  CHECK(account.warnings() == "80 95 ");
}

TEST_CASE("quota.warn_at takes percents") {
  const config::Setting& row = *config::find_setting("quota.warn_at");
  Settings settings;
  using Texts = std::vector<std::string>;
  CHECK(row.set(settings, Texts{"95%", "50%", "95%"}).has_value());
  CHECK(settings.quota.warn_at == std::vector<unsigned>{50, 95});
  CHECK(std::get<Texts>(row.get(settings)) == Texts{"50%", "95%"});
  CHECK(row.set(settings, Texts()).has_value());
  CHECK(settings.quota.warn_at.empty());
  for (const char* bad : {"", "%", "0%", "101%", "80", "-1%", "a%", "80 %"}) {
    CAPTURE(bad);
    CHECK_FALSE(row.set(settings, Texts{bad}).has_value());
  }
}
