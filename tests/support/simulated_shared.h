// What SimulatedDisk, its open files and its SQLite VFS have in common. For those files alone.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/simulated_disk.h"

namespace postkeep::test {

class SimulatedVfs;

// Locks of SQLite on one file (https://www.sqlite.org/lockingv3.html).
struct SqliteLocks {
  int shared = 0;
  const void* reserved = nullptr;   // who has RESERVED or more
  const void* exclusive = nullptr;  // who has EXCLUSIVE or waits for it (PENDING)
};

struct SimulatedDisk::Shared {
  mutable std::mutex mutex;
  DiskState state;
  std::set<std::uint64_t> locked;  // inodes
  std::map<std::uint64_t, SqliteLocks> sqlite_locks;
  std::unique_ptr<SimulatedVfs> vfs;  // made at first use

  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t calls = 0;
  std::uint64_t changes = 0;
  std::array<std::uint64_t, call_kinds> counts{};
  std::uint64_t fail_call = never;
  std::uint64_t fail_count = 1;
  int fail_errno = 0;
  bool fail_likely = false;  // EIO instead where fail_errno cannot be
  int failed_errno = 0;      // what a call failed with
  Call failed_kind = Call::open;
  Call next_kind = Call::open;
  int next_errno = 0;             // 0: no such fault is set
  unsigned written_quarters = 2;  // of a failed write
  std::string unsynced_end;       // syncs of files whose path ends so are ignored, if not ""
  std::uint64_t full_from = never;
  std::uint64_t cut_change = never;
  bool power_is_out = false;
  bool is_tracing = false;
  std::vector<std::string> trace;

  // Numbers and counts a call; 0 or the errno with which it must fail. The mutex is held.
  int admit(Call kind, std::string_view what);
  // A write of a file that an admitted call makes, or part of it if `fault` says that the call fails.
  int write(Inode& file, std::uint64_t offset, std::string_view bytes, int fault);
  int sync(Inode& file, std::string_view path, int fault);
};

}  // namespace postkeep::test
