#include "storage/account/folder_watches.h"

namespace postkeep::storage {

bool FolderWatches::watch(const std::string& user, MailboxId mailbox, const std::string& folder_path) {
  if (!watcher_) return false;
  const std::lock_guard lock(mutex_);
  Folder& folder = folders_[Key(user, mailbox)];
  if (folder.watchers == 0) {
    folder.cookie = next_cookie_++;
    if (!watcher_->add(folder_path, folder.cookie)) {
      folders_.erase(Key(user, mailbox));
      return false;
    }
    by_cookie_[folder.cookie] = Key(user, mailbox);
  }
  ++folder.watchers;
  return true;
}

void FolderWatches::unwatch(const std::string& user, MailboxId mailbox) {
  const std::lock_guard lock(mutex_);
  const auto known = folders_.find(Key(user, mailbox));
  if (known == folders_.end() || --known->second.watchers != 0) return;
  watcher_->remove(known->second.cookie);
  by_cookie_.erase(known->second.cookie);
  folders_.erase(known);
}

FolderWatches::Events FolderWatches::take(const std::string& user, MailboxId mailbox) {
  const std::lock_guard lock(mutex_);
  const auto known = folders_.find(Key(user, mailbox));
  Events events;
  if (known != folders_.end()) {
    events = std::exchange(known->second.events, Events());
    events.since_listed = std::exchange(known->second.listed, false);
  }
  if (lost_.erase(Key(user, mailbox)) != 0) events = Events{{}, true, false};
  return events;
}

void FolderWatches::note_listed(const std::string& user, MailboxId mailbox) {
  const std::lock_guard lock(mutex_);
  const auto known = folders_.find(Key(user, mailbox));
  if (known != folders_.end()) known->second.listed = true;
}

void FolderWatches::note(const maildir::Watcher::Event& event) {
  Events& events = folders_[by_cookie_[event.cookie]].events;
  if (events.unknown) return;
  events.names.push_back(event);
  if (events.names.size() > names_max) events = Events{{}, true, false};
}

std::vector<MailStore::ForeignChange> FolderWatches::read() {
  if (!watcher_) return {};
  const maildir::Watcher::Batch batch = watcher_->read();
  const std::lock_guard lock(mutex_);
  std::set<Key> touched;
  std::vector<MailStore::ForeignChange> changes;
  for (const maildir::Watcher::Event& event : batch.events) {
    if (!by_cookie_.contains(event.cookie)) continue;  // unwatched meanwhile
    note(event);
    touched.insert(by_cookie_[event.cookie]);
  }
  for (const maildir::Watcher::Cookie cookie : batch.lost) {
    const auto known = by_cookie_.find(cookie);
    if (known == by_cookie_.end()) continue;
    const Key key = known->second;
    touched.erase(key);
    lost_.insert(key);
    folders_.erase(key);
    by_cookie_.erase(known);
    changes.push_back(MailStore::ForeignChange{key.first, key.second, false, true});
  }
  if (batch.overflow) {
    for (auto& [key, folder] : folders_) folder.events = Events{{}, true, false};
    changes.push_back(MailStore::ForeignChange{{}, MailboxId(), true, false});
  }
  for (const Key& key : touched) changes.push_back(MailStore::ForeignChange{key.first, key.second, false, false});
  return changes;
}

}  // namespace postkeep::storage
