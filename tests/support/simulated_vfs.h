// SimulatedVfs: SQLite's file calls on a SimulatedDisk, so that its files lie among ours, are lost with them, and its
// calls are numbered, fail and stop like ours. No shared memory (the databases are opened exclusively), no
// promise of powersafe overwrite or atomic writes. https://www.sqlite.org/vfs.html
#pragma once

#include <sqlite3.h>

#include <string>

#include "tests/support/simulated_disk.h"

namespace postkeep::test {

// Registered with SQLite as long as it lives, which must be longer than any connection on it.
class SimulatedVfs {
 public:
  explicit SimulatedVfs(SimulatedDisk::Shared& shared);
  ~SimulatedVfs();
  SimulatedVfs(const SimulatedVfs&) = delete;
  SimulatedVfs& operator=(const SimulatedVfs&) = delete;

  const char* name() const { return name_.c_str(); }

  // For the call-backs alone.
  SimulatedDisk::Shared& shared() { return shared_; }
  int last_errno = 0;
  std::uint64_t random = 0x9e3779b97f4a7c15;  // the same for every disk, so that runs repeat exactly

 private:
  SimulatedDisk::Shared& shared_;
  std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace postkeep::test
