#include "tests/support/simulated_vfs.h"

#include <atomic>
#include <cstring>
#include <new>

#include "tests/support/simulated_shared.h"

namespace postkeep::test {
namespace {

using Guard = std::lock_guard<std::mutex>;
constexpr int sector_octets = 4096;
constexpr int path_octets_max = 512;

// An open file; SQLite gives the memory, so it is built and destroyed in place.
struct VfsFile {
  sqlite3_file base{};  // first, since SQLite knows only this
  SimulatedVfs* vfs = nullptr;
  InodePtr inode;
  std::string path;
  int lock_level = SQLITE_LOCK_NONE;
  bool sync_directory_too = false;  // a new journal or WAL: its entry must be durable with it
  bool delete_on_close = false;
  bool keeps_wal = false;
  int last_errno = 0;  // of the last call on it that failed
};

VfsFile& file_of(sqlite3_file* file) { return *reinterpret_cast<VfsFile*>(file); }
SimulatedVfs& vfs_of(sqlite3_vfs* vfs) { return *static_cast<SimulatedVfs*>(vfs->pAppData); }

// Remembers the errno for sqlite3_system_errno() and gives SQLite's code.
int failed(SimulatedVfs& vfs, int error_number, int code) {
  vfs.last_errno = error_number;
  return error_number == ENOSPC ? SQLITE_FULL : code;
}

int failed(VfsFile& file, int error_number, int code) {
  file.last_errno = error_number;
  return failed(*file.vfs, error_number, code);
}

int close_file(sqlite3_file* file);

int read_file(sqlite3_file* file, void* buffer, int amount, sqlite3_int64 offset) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  if (const int fault = shared.admit(Call::read, self.path); fault != 0) return failed(self, fault, SQLITE_IOERR_READ);
  const std::string& content = self.inode->content;
  const auto wanted = static_cast<std::size_t>(amount);
  std::size_t got = 0;
  if (static_cast<std::uint64_t>(offset) < content.size()) {
    got = content.copy(static_cast<char*>(buffer), wanted, static_cast<std::size_t>(offset));
  }
  if (got == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(buffer) + got, 0, wanted - got);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  const std::string_view view(static_cast<const char*>(bytes), static_cast<std::size_t>(amount));
  const int fault = shared.admit(Call::write, self.path);
  if (shared.write(*self.inode, static_cast<std::uint64_t>(offset), view, fault) == 0) return SQLITE_OK;
  return failed(self, fault, SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  if (const int fault = shared.admit(Call::truncate, self.path); fault != 0) {
    return failed(self, fault, SQLITE_IOERR_TRUNCATE);
  }
  shared.state.truncate(*self.inode, static_cast<std::uint64_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  const int fault = shared.admit(Call::sync, self.path);
  if (shared.sync(*self.inode, self.path, fault) != 0) return failed(self, fault, SQLITE_IOERR_FSYNC);
  if (!self.sync_directory_too) return SQLITE_OK;
  const std::string directory = storage::parent_directory(self.path);
  if (const int directory_fault = shared.admit(Call::sync_directory, directory); directory_fault != 0) {
    if (!shared.power_is_out) (void)shared.state.fail_sync_directory(directory);
    return failed(self, directory_fault, SQLITE_IOERR_DIR_FSYNC);
  }
  (void)shared.state.sync_directory(directory);
  self.sync_directory_too = false;
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  if (const int fault = shared.admit(Call::info, self.path); fault != 0) return failed(self, fault, SQLITE_IOERR_FSTAT);
  *size = static_cast<sqlite3_int64>(self.inode->content.size());
  return SQLITE_OK;
}

// Locks are memory, not disk: they are not numbered and cannot fail but for another holder.
int lock_file(sqlite3_file* file, int level) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  if (self.lock_level >= level) return SQLITE_OK;
  SqliteLocks& locks = shared.sqlite_locks[self.inode->number];
  if (locks.exclusive != nullptr && locks.exclusive != &self) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_SHARED) {
    ++locks.shared;
  } else {
    if (locks.reserved != nullptr && locks.reserved != &self) return SQLITE_BUSY;
    locks.reserved = &self;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
      locks.exclusive = &self;  // PENDING: no new readers while we wait for the old ones
      if (locks.shared > 1) return SQLITE_BUSY;
    }
  }
  self.lock_level = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  SqliteLocks& locks = shared.sqlite_locks[self.inode->number];
  if (locks.exclusive == &self) locks.exclusive = nullptr;
  if (locks.reserved == &self) locks.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE && self.lock_level >= SQLITE_LOCK_SHARED) --locks.shared;
  self.lock_level = std::min(self.lock_level, level);
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  VfsFile& self = file_of(file);
  SimulatedDisk::Shared& shared = self.vfs->shared();
  const Guard guard(shared.mutex);
  *reserved = shared.sqlite_locks[self.inode->number].reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file* file, int what, void* value) {
  if (what == SQLITE_FCNTL_PERSIST_WAL) {
    int& keeps = *static_cast<int*>(value);  // negative: a question
    if (keeps >= 0) file_of(file).keeps_wal = keeps != 0;
    keeps = file_of(file).keeps_wal ? 1 : 0;
    return SQLITE_OK;
  }
  if (what != SQLITE_FCNTL_LAST_ERRNO) return SQLITE_NOTFOUND;
  *static_cast<int*>(value) = file_of(file).last_errno;
  return SQLITE_OK;
}
int sector_size(sqlite3_file*) { return sector_octets; }
int device_characteristics(sqlite3_file*) { return 0; }

const sqlite3_io_methods methods = [] {
  sqlite3_io_methods m{};
  m.iVersion = 1;
  m.xClose = close_file;
  m.xRead = read_file;
  m.xWrite = write_file;
  m.xTruncate = truncate_file;
  m.xSync = sync_file;
  m.xFileSize = file_size;
  m.xLock = lock_file;
  m.xUnlock = unlock_file;
  m.xCheckReservedLock = check_reserved_lock;
  m.xFileControl = file_control;
  m.xSectorSize = sector_size;
  m.xDeviceCharacteristics = device_characteristics;
  return m;
}();

int close_file(sqlite3_file* file) {
  VfsFile& self = file_of(file);
  unlock_file(file, SQLITE_LOCK_NONE);
  if (self.delete_on_close && !self.path.empty()) {
    SimulatedDisk::Shared& shared = self.vfs->shared();
    const Guard guard(shared.mutex);
    if (shared.admit(Call::unlink, self.path) == 0) (void)shared.state.unlink(self.path);
  }
  self.~VfsFile();
  return SQLITE_OK;
}

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;  // tells SQLite not to close what was not opened
  SimulatedVfs& self = vfs_of(vfs);
  SimulatedDisk::Shared& shared = self.shared();
  const Guard guard(shared.mutex);
  InodePtr inode = path != nullptr ? shared.state.find(path) : shared.state.anonymous_file();
  const bool is_new = !inode;
  if (const int fault = shared.admit(is_new ? Call::create : Call::open, path != nullptr ? path : ""); fault != 0) {
    return failed(self, fault, SQLITE_CANTOPEN);
  }
  if (is_new) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return failed(self, ENOENT, SQLITE_CANTOPEN);
    if (const int error = shared.state.create_file(path, inode); error != 0) {
      return failed(self, error, SQLITE_CANTOPEN);
    }
  }
  auto* opened = new (file) VfsFile();
  opened->base.pMethods = &methods;
  opened->vfs = &self;
  opened->inode = std::move(inode);
  if (path != nullptr) opened->path = path;
  opened->sync_directory_too = is_new && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  opened->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  SimulatedVfs& self = vfs_of(vfs);
  SimulatedDisk::Shared& shared = self.shared();
  const Guard guard(shared.mutex);
  if (const int fault = shared.admit(Call::unlink, path); fault != 0) return failed(self, fault, SQLITE_IOERR_DELETE);
  if (const int error = shared.state.unlink(path); error != 0) {
    return failed(self, error, error == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE);
  }
  if (sync_directory == 0) return SQLITE_OK;
  const int fault = shared.admit(Call::sync_directory, path);
  if (fault != 0) return failed(self, fault, SQLITE_IOERR_DIR_FSYNC);
  (void)shared.state.sync_directory(storage::parent_directory(path));
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* path, int, int* result) {
  SimulatedVfs& self = vfs_of(vfs);
  SimulatedDisk::Shared& shared = self.shared();
  const Guard guard(shared.mutex);
  if (const int fault = shared.admit(Call::info, path); fault != 0) return failed(self, fault, SQLITE_IOERR_ACCESS);
  *result = shared.state.find(path) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  if (std::strlen(path) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(out, path);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  std::uint64_t& x = vfs_of(vfs).random;
  for (int i = 0; i < size; ++i) {
    x ^= x << 13;  // xorshift64
    x ^= x >> 7;
    x ^= x << 17;
    out[i] = static_cast<char>(x);
  }
  return size;
}

int sleep_for(sqlite3_vfs*, int microseconds) { return microseconds; }

int current_time(sqlite3_vfs* vfs, double* julian_day) {
  SimulatedDisk::Shared& shared = vfs_of(vfs).shared();
  const Guard guard(shared.mutex);
  const std::chrono::duration<double> seconds = shared.state.now().time_since_epoch();
  *julian_day = 2440587.5 + seconds.count() / 86400;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs* vfs, int, char*) { return vfs_of(vfs).last_errno; }

std::atomic<unsigned> vfs_count{0};

}  // namespace

SimulatedVfs::SimulatedVfs(SimulatedDisk::Shared& shared)
    : shared_(shared), name_("simulated-" + std::to_string(++vfs_count)) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(VfsFile);
  vfs_.mxPathname = path_octets_max;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = access_file;
  vfs_.xFullPathname = full_path;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = sleep_for;
  vfs_.xCurrentTime = current_time;
  vfs_.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs_, 0);
}

SimulatedVfs::~SimulatedVfs() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace postkeep::test
