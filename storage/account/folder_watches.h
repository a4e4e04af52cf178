// FolderWatches: the folders that somebody looks at, and what other programs did to them since. Belongs to the mail
// store and outlives its accounts: a session in IDLE holds none open. Over maildir/watcher; without it nothing is
// watched and the server polls.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/account_store.h"
#include "storage/maildir/watcher.h"
#include "storage/pooled.h"

namespace postkeep::storage {

// Thread-safe.
class FolderWatches {
 public:
  // Names of files that appeared or vanished; our own are among them.
  struct Events {
    std::vector<maildir::Watcher::Event> names;
    bool unknown = false;  // more than could be kept, or the watch was lost
    // The folder has been watched since it was listed: what is not among the names has not happened, but for what the
    // kernel is about to tell.
    bool since_listed = false;
  };
  static constexpr std::size_t names_max = 1000;  // kept for each folder until the account asks

  // nullptr: no watching.
  explicit FolderWatches(std::unique_ptr<maildir::Watcher> watcher) : watcher_(std::move(watcher)) {}

  // Counted: as many unwatch() as watch(). False: this folder cannot be watched.
  bool watch(const std::string& user, MailboxId mailbox, const std::string& folder_path);
  void unwatch(const std::string& user, MailboxId mailbox);
  // What happened in the folder since the last call; forgets it.
  Events take(const std::string& user, MailboxId mailbox);
  // The folder was listed after the last take(), or is otherwise known to be as the index says. No effect if it is not
  // watched.
  void note_listed(const std::string& user, MailboxId mailbox);

  // As MailStore has them.
  int descriptor() const { return watcher_ ? watcher_->fd() : -1; }
  std::vector<MailStore::ForeignChange> read();

 private:
  using Key = std::pair<std::string, MailboxId>;
  struct Folder {
    maildir::Watcher::Cookie cookie = 0;
    unsigned watchers = 0;
    bool listed = false;
    Events events;
  };
  void note(const maildir::Watcher::Event& event);

  const std::unique_ptr<maildir::Watcher> watcher_;
  std::mutex mutex_;
  maildir::Watcher::Cookie next_cookie_ = 1;
  // One for each mailbox that a session looks at.
  PooledMap<Key, Folder> folders_;
  PooledMap<maildir::Watcher::Cookie, Key> by_cookie_;
  std::set<Key> lost_;  // whose watch went with the folder, until somebody asks what happened
};

}  // namespace postkeep::storage
