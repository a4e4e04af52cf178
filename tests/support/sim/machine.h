// Machine: a computer with a simulated disk, a clock that the test turns, and one store open on it with the accounts of
// a few users, the first of them "anna".
//
// The scenarios name a mailbox by its address: "Archive" is anna's, "bert:INBOX" is bert's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/account_store.h"
#include "tests/support/sim/breakage.h"
#include "tests/support/simulated_disk.h"

namespace postkeep::test {

// Moves on by a microsecond at each look; the disk's time goes with it.
class SimulatedClock final : public storage::Clock {
 public:
  // Begins an hour after the disk was last used, so that no time stamp on it is doubtful for being fresh.
  explicit SimulatedClock(SimulatedDisk& disk)
      : disk_(disk), time_(std::chrono::floor<std::chrono::microseconds>(disk.now()) + std::chrono::hours(1)) {
    disk_.set_now(time_);
  }
  std::chrono::sys_time<std::chrono::microseconds> now() override;
  void advance(std::chrono::milliseconds by) { time_ += by; }

 private:
  SimulatedDisk& disk_;
  std::chrono::sys_time<std::chrono::microseconds> time_;
};

// Whose mailbox, and which.
struct Address {
  std::string user;
  MailboxName mailbox;
};
Address address_of(const std::string& text);
std::string address_text(const std::string& user, const MailboxName& mailbox);

class Machine {
 public:
  static constexpr char data_dir[] = "/data";
  static constexpr char account_path[] = "/data/mail/anna";
  using Accounts = std::map<std::string, std::unique_ptr<storage::AccountStore>>;

  // `breakage`: what the store's file system does wrong; outlives the machine.
  explicit Machine(std::unique_ptr<SimulatedDisk> disk, const Breakage* breakage = nullptr,
                   std::vector<std::string> users = {"anna"});
  ~Machine() { halt(); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Outcome start();                        // opens the store and the accounts of the users
  Outcome open(const std::string& user);  // one more, also with the next start
  // Closes the one account, gives its mail the other name, and opens that.
  Outcome rename_user(const std::string& from, const std::string& to);
  Outcome stop();            // a clean stop
  void halt();               // as if killed: nothing is finished
  Outcome run_background();  // until there is nothing to do, time passing
  bool is_on() const { return !accounts_.empty() && !disk_->power_is_out(); }

  SimulatedDisk& disk() { return *disk_; }
  SimulatedClock& clock() { return clock_; }
  storage::AccountStore& account() { return *accounts_.at("anna"); }
  storage::AccountStore& account(const std::string& user) { return *accounts_.at(user); }
  const Accounts& accounts() const { return accounts_; }
  Result<storage::Mailbox> find(const std::string& address);  // errors: those of find_mailbox()

  // A message that was received and is not yet in all the mailboxes it is for.
  std::shared_ptr<storage::Incoming> incoming;

 private:
  std::unique_ptr<SimulatedDisk> disk_;
  SimulatedClock clock_;
  std::vector<std::string> users_;
  std::unique_ptr<storage::FileSystem> broken_;
  std::unique_ptr<storage::MailStore> store_;
  Accounts accounts_;
};

// index.sqlite of all accounts and what belongs to it, removed from a disk on which nothing runs.
void lose_index(SimulatedDisk& disk);

// The indexes of all accounts of a machine that was stopped cleanly: path to content.
using IndexFiles = std::map<std::string, std::string>;
IndexFiles index_files(SimulatedDisk& disk);
void put_index_back(SimulatedDisk& disk, const IndexFiles& files);

}  // namespace postkeep::test
