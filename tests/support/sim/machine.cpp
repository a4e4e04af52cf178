#include "tests/support/sim/machine.h"

#include <algorithm>
#include <utility>

namespace postkeep::test {

using storage::FileSystem;

std::chrono::sys_time<std::chrono::microseconds> SimulatedClock::now() {
  time_ += std::chrono::microseconds(1);
  disk_.set_now(time_);
  return time_;
}

Address address_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const bool is_annas = colon == std::string::npos;
  return Address{is_annas ? "anna" : text.substr(0, colon),
                 MailboxName::from_utf8(is_annas ? text : text.substr(colon + 1)).value()};
}

std::string address_text(const std::string& user, const MailboxName& mailbox) {
  return user == "anna" ? mailbox.utf8() : user + ":" + mailbox.utf8();
}

Machine::Machine(std::unique_ptr<SimulatedDisk> disk, const Breakage* breakage, std::vector<std::string> users)
    : disk_(std::move(disk)), clock_(*disk_), users_(std::move(users)) {
  if (breakage != nullptr) broken_ = breakage->make(*disk_);
}

Outcome Machine::start() {
  const auto there = disk_->info(data_dir);
  if (!there && there.error().kind == ErrorKind::not_found) {
    TRY(disk_->make_directory(data_dir));
    TRY(disk_->sync_directory("/"));
  }
  storage::StoreOptions options;
  options.data_dir = data_dir;
  options.hostname = "host";
  FileSystem& files = broken_ ? *broken_ : static_cast<FileSystem&>(*disk_);
  store_ = TRY(storage::open_mail_store("maildir", options, files, clock_));
  for (const std::string& user : std::vector<std::string>(users_)) TRY(open(user));
  return {};
}

Outcome Machine::open(const std::string& user) {
  accounts_[user] = TRY(store_->open(user, [] {}));
  if (std::find(users_.begin(), users_.end(), user) == users_.end()) users_.push_back(user);
  return {};
}

Outcome Machine::rename_user(const std::string& from, const std::string& to) {
  TRY(accounts_.at(from)->close());
  accounts_.erase(from);
  std::erase(users_, from);
  TRY(store_->rename(from, to));
  return open(to);
}

Outcome Machine::stop() {
  Outcome closed;
  for (const auto& [user, account] : accounts_) {
    Outcome done = account->close();
    if (closed) closed = std::move(done);
  }
  halt();
  return closed;
}

void Machine::halt() {
  incoming.reset();
  accounts_.clear();
  store_.reset();
}

Outcome Machine::run_background() {
  constexpr int steps_max = 1000;
  for (const auto& [user, account] : accounts_) {
    int steps = 0;
    for (; steps < steps_max; ++steps) {
      const storage::BackgroundState state = TRY(account->background_step());
      if (!state.due_in) break;
      clock_.advance(*state.due_in);
    }
    if (steps == steps_max) return failure(ErrorKind::server_bug, "Background work does not end");
  }
  return {};
}

Result<storage::Mailbox> Machine::find(const std::string& address) {
  const Address place = address_of(address);
  return account(place.user).find_mailbox(place.mailbox);
}

namespace {

std::vector<std::string> account_directories(SimulatedDisk& disk) {
  const std::string mail = std::string(Machine::data_dir) + "/mail";
  std::vector<std::string> directories;
  const auto users = disk.list(mail);
  for (const std::string& user : users ? *users : std::vector<std::string>()) directories.push_back(mail + "/" + user);
  return directories;
}

}  // namespace

void lose_index(SimulatedDisk& disk) {
  for (const std::string& directory : account_directories(disk)) {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) (void)disk.unlink(directory + "/index.sqlite" + end);
    (void)disk.sync_directory(directory);
  }
}

IndexFiles index_files(SimulatedDisk& disk) {
  constexpr std::size_t octets_max = 100'000'000;
  IndexFiles files;
  for (const std::string& directory : account_directories(disk)) {
    const std::string path = directory + "/index.sqlite";
    if (auto content = storage::read_file(disk, path, octets_max)) files[path] = std::move(*content);
  }
  return files;
}

void put_index_back(SimulatedDisk& disk, const IndexFiles& files) {
  for (const auto& [path, content] : files) {
    const auto file = disk.create(path, FileSystem::Existing::truncate);
    if (!file || !(*file)->append(content) || !(*file)->sync()) continue;  // the account is gone, or another's
    (void)disk.sync_directory(storage::parent_directory(path));
  }
}

}  // namespace postkeep::test
