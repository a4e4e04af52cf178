// StoreFixture: one open account of one backend, with the shorthand that storage tests want. The contract test and the
// random test run their cases over every row of storage/backends.cpp by over_each_backend().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/account_store.h"
#include "storage/backends.h"
#include "tests/support/fake_clock.h"
#include "tests/support/results.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::test {

class StoreFixture {
 public:
  explicit StoreFixture(const storage::Backend& backend, storage::StoreOptions options = {});
  ~StoreFixture();

  storage::AccountStore& account() { return *account_; }
  storage::MailStore& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  bool persistent() const { return backend_.persistence == storage::Persistence::disk; }
  // Of the account, for tests that do what other programs do. Only backends on disk have anything there.
  std::string mail_directory() const { return directory_ / "mail/tess"; }
  int changes() const { return *changes_; }  // how often the listener was told

  // Closes cleanly and opens again; a backend on disk in a new MailStore, as after a restart of the server.
  void reopen();
  // Those that hold from the next reopen() of a backend on disk on.
  storage::StoreOptions& options() { return options_; }
  // Likewise, the index having been deleted in between. The same as reopen() where there is none.
  void reopen_without_index();
  // Until nothing is due any more; the clock goes on meanwhile.
  void run_background();

  // The mailbox of that name; made if it is missing.
  MailboxId mailbox(std::string_view name);
  static MailboxName name(std::string_view utf8) { return must(MailboxName::from_utf8(utf8)); }

  std::shared_ptr<storage::Incoming> incoming(std::string_view content);
  Uid append(MailboxId mailbox, std::string_view content, const Flags& flags = {},
             std::optional<UnixTime> internal_date = std::nullopt);
  // `count` small messages with different bodies.
  UidSet append_many(MailboxId mailbox, std::uint32_t count);
  std::string content(MailboxId mailbox, Uid uid);
  storage::MessageRow row(MailboxId mailbox, Uid uid);  // with everything
  Flags flags(MailboxId mailbox, Uid uid);
  storage::MailboxVersionPtr version(MailboxId mailbox) { return must(account_->version(mailbox)); }
  UidSet uids(MailboxId mailbox) { return version(mailbox)->all_uids(); }
  storage::MailboxStatus status(MailboxId mailbox) { return must(account_->status(mailbox)); }
  storage::StoreResult add_flags(MailboxId mailbox, const UidSet& uids, const Flags& flags);

 private:
  void open();
  void close();

  const storage::Backend& backend_;
  storage::StoreOptions options_;
  TemporaryDirectory directory_;
  FakeClock clock_;
  std::unique_ptr<storage::FileSystem> files_;
  std::unique_ptr<storage::MailStore> store_;
  std::unique_ptr<storage::AccountStore> account_;
  std::shared_ptr<int> changes_ = std::make_shared<int>(0);
};

// Runs `body` once for each backend, with a fresh account.
void over_each_backend(const std::function<void(StoreFixture&)>& body, const storage::StoreOptions& options = {});

// "\Seen $Junk" to Flags.
Flags make_flags(std::string_view wire);
// A message that is told from others by its number, with the usual header.
std::string sample_message(std::uint32_t number);
// UIDs by their numbers.
UidSet uid_set(std::initializer_list<std::uint32_t> numbers);

}  // namespace postkeep::test
