// SimulatedDisk: a FileSystem in memory that can fail any call and lose power after any call, SQLite's calls
// included (simulated_vfs). tests/support/disk_state.h says what may survive.
//
// Every call is numbered from 1, and so is, apart, every call that changes something (writes, syncs, entries): cutting
// the power is worth trying at those only. When the power is out every call fails with EIO and nothing changes any
// more, so that the code under test unwinds as it would on a dying disk; whatever it answers then, nobody was told.
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "tests/support/disk_state.h"

namespace postkeep::test {

enum class Call {
  open,
  create,
  read,
  write,
  truncate,
  sync,
  set_modified,
  info,
  make_directory,
  remove_directory,
  rename,
  link,
  unlink,
  list,
  sync_directory,
  lock,
};
inline constexpr std::size_t call_kinds = 16;

class SimulatedDisk final : public storage::FileSystem {
 public:
  SimulatedDisk();  // empty: even the directory that is to be data_dir must be made
  ~SimulatedDisk() override;

  // --- FileSystem ---
  Result<std::unique_ptr<storage::File>> open_read(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> create(const std::string& path, Existing existing) override;
  Outcome make_directory(const std::string& path) override;
  Outcome remove_directory(const std::string& path) override;
  Outcome rename(const std::string& from, const std::string& to) override;
  Outcome rename_new(const std::string& from, const std::string& to) override;
  Outcome link(const std::string& from, const std::string& to) override;
  Outcome unlink(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<storage::FileInfo> info(const std::string& path) override;
  Outcome set_modified(const std::string& path, storage::FileTime time) override;
  Outcome sync_directory(const std::string& path) override;
  Result<std::unique_ptr<storage::FileLock>> lock(const std::string& path) override;
  const char* sqlite_vfs() const override;

  // --- Faults ---
  // That one call fails, or so many from there on. A failed write has written some of its octets, half of them if
  // nothing else is said; a failed sync loses what it was to make durable, and later syncs succeed without it.
  void fail_at(std::uint64_t call, int error_number, std::uint64_t how_many = 1);
  // That one call fails with EIO if a call of its kind never fails with `error_number`: reading takes no space, and
  // only what opens a file runs out of descriptors.
  void fail_likely_at(std::uint64_t call, int error_number);
  // The last call that fail_at() or fail_likely_at() made fail; errno 0: none yet.
  int failed_with() const;
  Call failed_call() const;
  void fail_next(Call kind, int error_number);       // the next one of that kind, likewise
  void shorten_failed_writes(unsigned to_quarters);  // 0: nothing is written; 3: all but a quarter
  // Syncs of files whose path ends so do nothing and report success, from now on.
  void ignore_syncs_of(std::string path_end);
  // From that call on the disk is full: whatever takes space fails with ENOSPC.
  void fill_up_at(std::uint64_t call);
  // That change and everything after it does not happen.
  void cut_power_at(std::uint64_t change);
  bool power_is_out() const;
  // A disk as found after switching on again. This one is not changed, so that several plans can be tried.
  std::unique_ptr<SimulatedDisk> after_power_cut(const SurvivalPlan& plan) const;
  std::unique_ptr<SimulatedDisk> clone() const;  // without its faults, counts, locks and open files

  // --- Counting ---
  std::uint64_t calls() const;
  std::uint64_t changes() const;
  std::uint64_t count(Call kind) const;  // since the last reset_counts()
  void reset_counts();                   // all counts and numbers begin again

  // From now on the calls are written down: "<call>/<change> <kind> <path>".
  void start_trace();
  std::vector<std::string> trace() const;

  void set_now(storage::FileTime now);
  storage::FileTime now() const;
  // All files with their sizes, for messages of failed tests.
  std::string tree() const;

  struct Shared;  // state and mutex; open files and locks hold it too

 private:
  explicit SimulatedDisk(DiskState state);
  std::shared_ptr<Shared> shared_;
};

}  // namespace postkeep::test
