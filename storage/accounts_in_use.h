// AccountsInUse: the accounts of a data_dir whose index may say something that is not on the disk yet, in one
// append-only file, <data_dir>/postkeep-in-use. An account is on that list, durably, before the first change of its
// index after each opening; so an account that a power cut finds on it is treated as after an unclean stop, and the
// first commit of an index need not be durable by itself. Those who ask at the same time share one sync.
//
//   postkeep-in-use 1
//   alice ~1f3a5b7c
//
// Accounts are called by the names of their directories. Thread-safe: each call may wait for the disk.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace postkeep::storage {

class AccountsInUse {
 public:
  AccountsInUse(FileSystem& files, std::string data_dir, std::string mail_directory)
      : files_(files), data_dir_(std::move(data_dir)), mail_directory_(std::move(mail_directory)) {}

  // Reads what the last run left, once, before anything else is called. Errors: those of the file system.
  Outcome open();
  // Did the last run end before it had brought this account in order, and nobody has since?
  bool doubtful(const std::string& account) const;
  // The account is about to be changed. Durable when it returns; most often it is on the list already. An error is
  // final for this change: nothing may be told of it.
  Outcome enter(const std::string& account);
  // It is closed, and its index is on the disk and says so; only the directory's entries may not be. Or it is gone.
  void leave(const std::string& account);
  // What is true of `from` is true of `to`, which its directory is about to be called. Durable when it returns.
  Outcome rename(const std::string& from, const std::string& to);
  // Takes off the list those that left, once that many have; with 1 all of them. Syncs their directories first. If
  // another thread is at it, it does nothing.
  Outcome shorten(std::size_t when_so_many);

 private:
  struct Entry {
    bool durable = false;
    bool in_use = false;
    bool doubtful = false;
  };

  // With `lock` held; it is let go meanwhile. Each waits until nobody else writes.
  Outcome write_pending(std::unique_lock<std::mutex>& lock);
  Outcome write_anew(std::unique_lock<std::mutex>& lock);
  void settle(const std::vector<std::string>& batch, bool durable);
  std::vector<std::string> those_that_left() const;
  std::string path() const;

  FileSystem& files_;
  const std::string data_dir_;
  const std::string mail_directory_;

  mutable std::mutex mutex_;
  std::condition_variable written_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> pending_;  // on entries_, not durable yet
  std::size_t left_ = 0;              // entries that shorten() may take off, about
  bool writing_ = false;
  bool shortening_ = false;
  bool anew_ = true;  // the file is not there, damaged, or a sync of it failed: it is written whole next
};

}  // namespace postkeep::storage
