// DiskState: the model under tests/support/simulated_disk: what processes see of a disk, what would be there after a
// power cut, and what lies between. No faults, no counting, no locking of threads: simulated_disk does that.
//
// A file has its content as processes see it, its durable content, and the writes that were not synced. A directory has
// its entries both ways; changes of entries that were not synced stand in one journal. After a power cut any of
// the unsynced may be there or not, each by itself: writes in pieces of 512 octets, and in any order. What all local
// file systems of today do keep is kept: a rename happens or does not, also between two directories (one
// transaction in ext4, XFS, Btrfs); it is durable when the directory that it leads to was synced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/file_system.h"

namespace postkeep::test {

// What a power cut leaves of that which was not synced.
struct SurvivalPlan {
  enum class Kind { nothing, everything, random };
  Kind kind = Kind::nothing;
  std::uint64_t seed = 0;  // of random
};

struct Inode {
  // One write or truncation that was not synced.
  struct Write {
    std::uint64_t offset = 0;
    std::string bytes;
    bool is_truncation = false;  // to `offset` octets
    bool lost = false;           // a sync failed: may be there or not, and no later sync changes that
  };
  std::uint64_t number = 0;
  bool is_directory = false;
  std::uint64_t links = 0;
  std::string content;
  std::string durable_content;
  storage::FileTime modified{};
  storage::FileTime durable_modified{};
  std::vector<Write> unsynced;
  std::map<std::string, std::uint64_t> entries;
  std::map<std::string, std::uint64_t> durable_entries;
};
using InodePtr = std::shared_ptr<Inode>;

// All functions that can fail return 0 or an errno and change nothing when they fail.
class DiskState {
 public:
  DiskState();  // an empty root directory, 2023-11-14

  InodePtr find(std::string_view path) const;              // null if not there
  int create_file(std::string_view path, InodePtr& file);  // EEXIST if there
  int make_directory(std::string_view path);
  int remove_directory(std::string_view path);
  int rename(std::string_view from, std::string_view to, bool replace);
  int link(std::string_view from, std::string_view to);
  int unlink(std::string_view path);
  int sync_directory(std::string_view path);
  int fail_sync_directory(std::string_view path);  // what was to be made durable now never is, unless by chance

  InodePtr anonymous_file();
  void write(Inode& file, std::uint64_t offset, std::string_view bytes);
  void truncate(Inode& file, std::uint64_t size);
  void set_modified(Inode& file, storage::FileTime time);
  void sync(Inode& file);
  void fail_sync(Inode& file);

  void set_now(storage::FileTime now) { now_ = now; }
  storage::FileTime now() const { return now_; }

  DiskState clone() const;                                    // also what is not synced
  DiskState after_power_cut(const SurvivalPlan& plan) const;  // everything in it is durable

 private:
  // A change of directory entries that was not synced.
  struct EntryChange {
    enum class Kind { add, remove, rename };
    Kind kind = Kind::add;
    std::uint64_t directory = 0;
    std::string name;
    std::uint64_t inode = 0;
    std::uint64_t to_directory = 0;  // of rename
    std::string to_name;
    bool lost = false;
  };
  struct Place {
    InodePtr directory;  // null: its path is not there
    std::string name;
    int error = 0;
  };

  Place place_of(std::string_view path) const;
  InodePtr inode(std::uint64_t number) const;
  InodePtr entry(const Place& place) const;
  InodePtr make_inode(bool is_directory);
  bool is_within(const Inode& directory, std::uint64_t number) const;
  void add_entry(const Place& place, Inode& file);
  void remove_entry(const Place& place, Inode& file);
  int check_rename(const Place& from, const Place& to, bool replace) const;
  using Name = std::pair<std::uint64_t, std::string>;  // directory and name in it
  static std::vector<Name> names_of(const EntryChange& change);
  void make_durable(const EntryChange& change);
  void survive_entries(const SurvivalPlan& plan, std::mt19937_64& random, unsigned chance);
  static void survive_content(Inode& file, const SurvivalPlan& plan, std::mt19937_64& random, unsigned chance);
  void settle();

  std::map<std::uint64_t, InodePtr> inodes_;
  std::vector<EntryChange> journal_;
  std::uint64_t next_inode_ = 2;
  storage::FileTime now_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace postkeep::test
