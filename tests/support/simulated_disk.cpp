#include "tests/support/simulated_disk.h"

#include <utility>

#include "tests/support/simulated_shared.h"
#include "tests/support/simulated_vfs.h"

namespace postkeep::test {
namespace {

using storage::File;
using storage::FileInfo;
using storage::FileLock;
using storage::FileTime;
using Guard = std::lock_guard<std::mutex>;

constexpr const char* call_names[call_kinds] = {
    "open",           "create",           "read",   "write", "truncate", "sync", "set_modified",   "info",
    "make_directory", "remove_directory", "rename", "link",  "unlink",   "list", "sync_directory", "lock",
};

bool is_change(Call kind) {
  switch (kind) {
    case Call::open:
    case Call::read:
    case Call::info:
    case Call::list:
    case Call::lock:
      return false;
    default:
      return true;
  }
}

bool can_fail_with(Call kind, int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return is_change(kind);
    case EMFILE:
      return kind == Call::open || kind == Call::create || kind == Call::list || kind == Call::sync_directory;
    default:
      return true;
  }
}

bool takes_space(Call kind) {
  return kind == Call::create || kind == Call::write || kind == Call::make_directory || kind == Call::link;
}

tl::unexpected<Error> failed(int error_number, std::string_view call, std::string_view path) {
  return tl::unexpected<Error>(storage::error_of_errno(error_number, call, path));
}

Outcome outcome(int error_number, std::string_view call, std::string_view path) {
  if (error_number != 0) return failed(error_number, call, path);
  return {};
}

FileInfo info_of(const Inode& inode) {
  FileInfo info;
  info.type = inode.is_directory ? FileInfo::Type::directory : FileInfo::Type::regular;
  info.size = inode.content.size();
  info.modified = inode.modified;
  info.inode = inode.number;
  info.links = inode.links;
  info.mode = inode.is_directory ? 0700 : 0600;
  return info;
}

class SimulatedFile final : public File {
 public:
  SimulatedFile(std::shared_ptr<SimulatedDisk::Shared> shared, InodePtr inode, std::string path)
      : shared_(std::move(shared)), inode_(std::move(inode)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    const Guard guard(shared_->mutex);
    if (const int fault = shared_->admit(Call::read, path_); fault != 0) return failed(fault, "read", path_);
    if (offset >= inode_->content.size()) return std::size_t{0};
    return inode_->content.copy(buffer.data(), buffer.size(), offset);
  }

  Outcome append(std::string_view bytes) override {
    const Guard guard(shared_->mutex);
    const int fault = shared_->admit(Call::write, path_);
    return outcome(shared_->write(*inode_, inode_->content.size(), bytes, fault), "write", path_);
  }

  Outcome sync() override {
    const Guard guard(shared_->mutex);
    const int fault = shared_->admit(Call::sync, path_);
    return outcome(shared_->sync(*inode_, path_, fault), "fsync", path_);
  }

  Outcome truncate(std::uint64_t size) override {
    const Guard guard(shared_->mutex);
    if (const int fault = shared_->admit(Call::truncate, path_); fault != 0) return failed(fault, "ftruncate", path_);
    shared_->state.truncate(*inode_, size);
    return {};
  }

  Outcome set_modified(FileTime time) override {
    const Guard guard(shared_->mutex);
    if (const int fault = shared_->admit(Call::set_modified, path_); fault != 0)
      return failed(fault, "futimens", path_);
    shared_->state.set_modified(*inode_, time);
    return {};
  }

  Result<FileInfo> info() override {
    const Guard guard(shared_->mutex);
    if (const int fault = shared_->admit(Call::info, path_); fault != 0) return failed(fault, "fstat", path_);
    return info_of(*inode_);
  }

 private:
  std::shared_ptr<SimulatedDisk::Shared> shared_;
  InodePtr inode_;
  std::string path_;
};

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(std::shared_ptr<SimulatedDisk::Shared> shared, std::uint64_t inode)
      : shared_(std::move(shared)), inode_(inode) {}
  ~SimulatedLock() override {
    const Guard guard(shared_->mutex);
    shared_->locked.erase(inode_);
  }

 private:
  std::shared_ptr<SimulatedDisk::Shared> shared_;
  std::uint64_t inode_;
};

void add_tree(const DiskState& state, const std::string& path, const Inode& directory, std::string& out) {
  for (const auto& [name, number] : directory.entries) {
    const std::string child_path = path + "/" + name;
    const InodePtr child = state.find(child_path);
    out += child_path + (child->is_directory ? "/" : " " + std::to_string(child->content.size())) + "\n";
    if (child->is_directory) add_tree(state, child_path, *child, out);
  }
}

}  // namespace

// --- Shared ---

int SimulatedDisk::Shared::admit(Call kind, std::string_view what) {
  ++calls;
  if (is_tracing) {
    trace.push_back(std::to_string(calls) + (is_change(kind) ? "/" + std::to_string(changes + 1) : "") + " " +
                    call_names[static_cast<std::size_t>(kind)] + " " + std::string(what));
  }
  ++counts[static_cast<std::size_t>(kind)];
  if (is_change(kind) && ++changes >= cut_change) power_is_out = true;
  if (power_is_out) return EIO;
  if (calls >= fail_call && calls - fail_call < fail_count) {
    failed_errno = fail_likely && !can_fail_with(kind, fail_errno) ? EIO : fail_errno;
    failed_kind = kind;
    return failed_errno;
  }
  if (next_errno != 0 && kind == next_kind) return std::exchange(next_errno, 0);
  return calls >= full_from && takes_space(kind) ? ENOSPC : 0;
}

int SimulatedDisk::Shared::write(Inode& file, std::uint64_t offset, std::string_view bytes, int fault) {
  if (power_is_out) return fault;
  state.write(file, offset, fault == 0 ? bytes : bytes.substr(0, bytes.size() * written_quarters / 4));
  return fault;
}

int SimulatedDisk::Shared::sync(Inode& file, std::string_view path, int fault) {
  if (power_is_out || (!unsynced_end.empty() && path.ends_with(unsynced_end))) return fault;
  if (fault == 0) {
    state.sync(file);
  } else {
    state.fail_sync(file);
  }
  return fault;
}

// --- SimulatedDisk ---

SimulatedDisk::SimulatedDisk() : shared_(std::make_shared<Shared>()) {}

SimulatedDisk::SimulatedDisk(DiskState state) : SimulatedDisk() { shared_->state = std::move(state); }

SimulatedDisk::~SimulatedDisk() {
  // The VFS knows the shared state, so it must not be owned by it any longer than needed.
  shared_->vfs.reset();
}

Result<std::unique_ptr<File>> SimulatedDisk::open_read(const std::string& path) {
  const Guard guard(shared_->mutex);
  if (const int fault = shared_->admit(Call::open, path); fault != 0) return failed(fault, "open", path);
  InodePtr inode = shared_->state.find(path);
  if (!inode) return failed(ENOENT, "open", path);
  if (inode->is_directory) return failed(EINVAL, "open", path);
  return std::make_unique<SimulatedFile>(shared_, std::move(inode), path);
}

Result<std::unique_ptr<File>> SimulatedDisk::create(const std::string& path, Existing existing) {
  const Guard guard(shared_->mutex);
  if (const int fault = shared_->admit(Call::create, path); fault != 0) return failed(fault, "create", path);
  InodePtr inode = shared_->state.find(path);
  if (!inode) {
    if (const int error = shared_->state.create_file(path, inode); error != 0) return failed(error, "create", path);
  } else if (existing == Existing::fail) {
    return failed(EEXIST, "create", path);
  } else if (inode->is_directory) {
    return failed(EISDIR, "create", path);
  } else if (existing == Existing::truncate && !inode->content.empty()) {
    shared_->state.truncate(*inode, 0);
  }
  return std::make_unique<SimulatedFile>(shared_, std::move(inode), path);
}

Outcome SimulatedDisk::make_directory(const std::string& path) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::make_directory, path);
  return outcome(fault != 0 ? fault : shared_->state.make_directory(path), "mkdir", path);
}

Outcome SimulatedDisk::remove_directory(const std::string& path) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::remove_directory, path);
  return outcome(fault != 0 ? fault : shared_->state.remove_directory(path), "rmdir", path);
}

Outcome SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::rename, from + " to " + to);
  return outcome(fault != 0 ? fault : shared_->state.rename(from, to, true), "rename", from + " to " + to);
}

Outcome SimulatedDisk::rename_new(const std::string& from, const std::string& to) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::rename, from + " to " + to);
  return outcome(fault != 0 ? fault : shared_->state.rename(from, to, false), "rename_new", from + " to " + to);
}

Outcome SimulatedDisk::link(const std::string& from, const std::string& to) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::link, from + " to " + to);
  return outcome(fault != 0 ? fault : shared_->state.link(from, to), "link", from + " to " + to);
}

Outcome SimulatedDisk::unlink(const std::string& path) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::unlink, path);
  return outcome(fault != 0 ? fault : shared_->state.unlink(path), "unlink", path);
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& directory) {
  const Guard guard(shared_->mutex);
  if (const int fault = shared_->admit(Call::list, directory); fault != 0) return failed(fault, "opendir", directory);
  const InodePtr inode = shared_->state.find(directory);
  if (!inode) return failed(ENOENT, "opendir", directory);
  if (!inode->is_directory) return failed(ENOTDIR, "opendir", directory);
  std::vector<std::string> names;
  for (const auto& [name, number] : inode->entries) names.push_back(name);
  return names;
}

Result<FileInfo> SimulatedDisk::info(const std::string& path) {
  const Guard guard(shared_->mutex);
  if (const int fault = shared_->admit(Call::info, path); fault != 0) return failed(fault, "stat", path);
  const InodePtr inode = shared_->state.find(path);
  if (!inode) return failed(ENOENT, "stat", path);
  return info_of(*inode);
}

Outcome SimulatedDisk::set_modified(const std::string& path, FileTime time) {
  const Guard guard(shared_->mutex);
  if (const int fault = shared_->admit(Call::set_modified, path); fault != 0) return failed(fault, "utimensat", path);
  const InodePtr inode = shared_->state.find(path);
  if (!inode) return failed(ENOENT, "utimensat", path);
  shared_->state.set_modified(*inode, time);
  return {};
}

Outcome SimulatedDisk::sync_directory(const std::string& path) {
  const Guard guard(shared_->mutex);
  const int fault = shared_->admit(Call::sync_directory, path);
  if (fault == 0) return outcome(shared_->state.sync_directory(path), "fsync directory", path);
  if (!shared_->power_is_out) (void)shared_->state.fail_sync_directory(path);
  return failed(fault, "fsync directory", path);
}

Result<std::unique_ptr<FileLock>> SimulatedDisk::lock(const std::string& path) {
  const Guard guard(shared_->mutex);
  if (const int fault = shared_->admit(Call::lock, path); fault != 0) return failed(fault, "open lock", path);
  InodePtr inode = shared_->state.find(path);
  if (!inode) {
    if (const int error = shared_->state.create_file(path, inode); error != 0) return failed(error, "open lock", path);
  }
  if (!shared_->locked.insert(inode->number).second) return failed(EWOULDBLOCK, "flock", path);
  return std::make_unique<SimulatedLock>(shared_, inode->number);
}

const char* SimulatedDisk::sqlite_vfs() const {
  const Guard guard(shared_->mutex);
  if (!shared_->vfs) shared_->vfs = std::make_unique<SimulatedVfs>(*shared_);
  return shared_->vfs->name();
}

void SimulatedDisk::fail_at(std::uint64_t call, int error_number, std::uint64_t how_many) {
  const Guard guard(shared_->mutex);
  shared_->fail_call = call;
  shared_->fail_count = how_many;
  shared_->fail_errno = error_number;
}

void SimulatedDisk::fail_likely_at(std::uint64_t call, int error_number) {
  fail_at(call, error_number);
  const Guard guard(shared_->mutex);
  shared_->fail_likely = true;
}

int SimulatedDisk::failed_with() const {
  const Guard guard(shared_->mutex);
  return shared_->failed_errno;
}

Call SimulatedDisk::failed_call() const {
  const Guard guard(shared_->mutex);
  return shared_->failed_kind;
}

void SimulatedDisk::fail_next(Call kind, int error_number) {
  const Guard guard(shared_->mutex);
  shared_->next_kind = kind;
  shared_->next_errno = error_number;
}

void SimulatedDisk::shorten_failed_writes(unsigned to_quarters) {
  const Guard guard(shared_->mutex);
  shared_->written_quarters = to_quarters;
}

void SimulatedDisk::ignore_syncs_of(std::string path_end) {
  const Guard guard(shared_->mutex);
  shared_->unsynced_end = std::move(path_end);
}

void SimulatedDisk::fill_up_at(std::uint64_t call) {
  const Guard guard(shared_->mutex);
  shared_->full_from = call;
}

void SimulatedDisk::cut_power_at(std::uint64_t change) {
  const Guard guard(shared_->mutex);
  shared_->cut_change = change;
}

bool SimulatedDisk::power_is_out() const {
  const Guard guard(shared_->mutex);
  return shared_->power_is_out;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::after_power_cut(const SurvivalPlan& plan) const {
  const Guard guard(shared_->mutex);
  return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(shared_->state.after_power_cut(plan)));
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::clone() const {
  const Guard guard(shared_->mutex);
  return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(shared_->state.clone()));
}

std::uint64_t SimulatedDisk::calls() const {
  const Guard guard(shared_->mutex);
  return shared_->calls;
}

std::uint64_t SimulatedDisk::changes() const {
  const Guard guard(shared_->mutex);
  return shared_->changes;
}

std::uint64_t SimulatedDisk::count(Call kind) const {
  const Guard guard(shared_->mutex);
  return shared_->counts[static_cast<std::size_t>(kind)];
}

void SimulatedDisk::reset_counts() {
  const Guard guard(shared_->mutex);
  shared_->calls = shared_->changes = 0;
  shared_->counts.fill(0);
}

void SimulatedDisk::start_trace() {
  const Guard guard(shared_->mutex);
  shared_->is_tracing = true;
  shared_->trace.clear();
}

std::vector<std::string> SimulatedDisk::trace() const {
  const Guard guard(shared_->mutex);
  return shared_->trace;
}

void SimulatedDisk::set_now(FileTime now) {
  const Guard guard(shared_->mutex);
  shared_->state.set_now(now);
}

FileTime SimulatedDisk::now() const {
  const Guard guard(shared_->mutex);
  return shared_->state.now();
}

std::string SimulatedDisk::tree() const {
  const Guard guard(shared_->mutex);
  std::string out;
  add_tree(shared_->state, "", *shared_->state.find("/"), out);
  return out;
}

}  // namespace postkeep::test
