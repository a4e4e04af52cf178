// Machine: a computer with a simulated disk, a clock that the test turns, and one account open on it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "storage/account_store.h"
#include "tests/support/lazy_file_system.h"
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

class Machine {
 public:
  static constexpr char data_dir[] = "/data";
  static constexpr char account_path[] = "/data/mail/anna";

  // `laziness`: what the store's file system leaves out.
  explicit Machine(std::unique_ptr<SimulatedDisk> disk, std::optional<Laziness> laziness = std::nullopt);
  ~Machine() { halt(); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Outcome start();           // opens the store and the account "anna"
  Outcome stop();            // a clean stop
  void halt();               // as if killed: nothing is finished
  Outcome run_background();  // until there is nothing to do, time passing
  bool is_on() const { return account_ != nullptr && !disk_->power_is_out(); }

  SimulatedDisk& disk() { return *disk_; }
  SimulatedClock& clock() { return clock_; }
  storage::AccountStore& account() { return *account_; }

 private:
  std::unique_ptr<SimulatedDisk> disk_;
  SimulatedClock clock_;
  std::unique_ptr<storage::FileSystem> lazy_;
  std::unique_ptr<storage::MailStore> store_;
  std::unique_ptr<storage::AccountStore> account_;
};

// index.sqlite and what belongs to it, removed from a disk on which nothing runs.
void lose_index(SimulatedDisk& disk);

}  // namespace postkeep::test
