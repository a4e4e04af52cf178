#include "tests/support/sim/machine.h"

#include <utility>

namespace postkeep::test {

using storage::FileSystem;

std::chrono::sys_time<std::chrono::microseconds> SimulatedClock::now() {
  time_ += std::chrono::microseconds(1);
  disk_.set_now(time_);
  return time_;
}

Machine::Machine(std::unique_ptr<SimulatedDisk> disk, std::optional<Laziness> laziness)
    : disk_(std::move(disk)), clock_(*disk_) {
  if (laziness) lazy_ = lazy_file_system(*disk_, *laziness);
}

Outcome Machine::start() {
  if (!disk_->info(data_dir)) {
    TRY(disk_->make_directory(data_dir));
    TRY(disk_->sync_directory("/"));
  }
  storage::StoreOptions options;
  options.data_dir = data_dir;
  options.hostname = "host";
  FileSystem& files = lazy_ ? *lazy_ : static_cast<FileSystem&>(*disk_);
  store_ = TRY(storage::open_mail_store("maildir", options, files, clock_));
  account_ = TRY(store_->open("anna", [] {}));
  return {};
}

Outcome Machine::stop() {
  Outcome closed = account_->close();
  halt();
  return closed;
}

void Machine::halt() {
  account_.reset();
  store_.reset();
}

Outcome Machine::run_background() {
  constexpr int steps_max = 1000;
  for (int i = 0; i < steps_max; ++i) {
    const storage::BackgroundState state = TRY(account_->background_step());
    if (!state.due_in) return {};
    clock_.advance(*state.due_in);
  }
  return failure(ErrorKind::server_bug, "Background work does not end");
}

void lose_index(SimulatedDisk& disk) {
  for (const char* end : {"", "-wal", "-shm", "-journal"}) {
    (void)disk.unlink(std::string(Machine::account_path) + "/index.sqlite" + end);
  }
  (void)disk.sync_directory(Machine::account_path);
}

}  // namespace postkeep::test
