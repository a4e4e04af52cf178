// Gateway, changes by other programs: which folders are watched for whom, and the jobs that take changes in.
#include <algorithm>
#include <utility>

#include "server/runtime/gateway.h"

namespace postkeep::server {

class FolderWatch {
 public:
  FolderWatch(Gateway& gateway, AccountPtr account, MailboxId mailbox)
      : gateway_(gateway), account_(std::move(account)), mailbox_(mailbox) {}
  ~FolderWatch() { gateway_.unwatch(account_, mailbox_); }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  Gateway& gateway_;
  AccountPtr account_;
  MailboxId mailbox_;
};

Awaitable<Result<FolderWatchPtr>> Gateway::watch_folder(AccountPtr account, MailboxId mailbox) {
  const AccountPtr keep = account;
  return run(std::move(account), [this, keep, mailbox](storage::AccountStore& store) -> Result<FolderWatchPtr> {
    auto handle = std::make_shared<FolderWatch>(*this, keep, mailbox);
    {
      const std::lock_guard lock(mutex_);
      const auto known = std::find_if(folders_.begin(), folders_.end(), [&](const Folder& folder) {
        return folder.mailbox == mailbox && folder.user == keep->user();
      });
      Folder& folder = known != folders_.end() ? *known : folders_.emplace_back();
      if (folder.watchers++ == 0) {
        folder.user = keep->user();
        folder.mailbox = mailbox;
      } else {
        return handle;
      }
    }
    const bool watched = store.watch(mailbox);
    if (!watched) {
      const std::lock_guard lock(mutex_);
      for (Folder& folder : folders_) {
        if (folder.mailbox == mailbox && folder.user == keep->user()) folder.polled = true;
      }
    }
    return handle;
  });
}

// From FolderWatch's destructor, on any thread.
void Gateway::unwatch(const AccountPtr& account, MailboxId mailbox) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(folders_.begin(), folders_.end(), [&](const Folder& folder) {
    return folder.mailbox == mailbox && folder.user == account->user();
  });
  if (known == folders_.end() || --known->watchers != 0) return;
  const bool polled = known->polled;
  folders_.erase(known);
  if (closing_ || polled) return;
  // A watch() of the same folder that comes now runs after this one: the strand keeps the order.
  asio::post(account->strand_, [this, account, mailbox] {
    Result<storage::AccountStore*> store = enter(*account);
    if (!store) return;
    const Leave leave{*this, *account};
    (*store)->unwatch(mailbox);
  });
}

void Gateway::handle_foreign_changes(const std::vector<storage::MailStore::ForeignChange>& changes) {
  std::vector<std::pair<std::string, MailboxId>> wanted;
  bool everything = false;
  for (const auto& change : changes) {
    everything = everything || change.everything;
    if (!change.everything) wanted.emplace_back(change.user, change.mailbox);
  }
  if (everything) {
    wanted.clear();
    const std::lock_guard lock(mutex_);
    for (const Folder& folder : folders_) wanted.emplace_back(folder.user, folder.mailbox);
  }
  for (const auto& [user, mailbox] : wanted) start_refresh(user, mailbox);
}

void Gateway::poll_folders() {
  std::vector<std::pair<std::string, MailboxId>> wanted;
  {
    const std::lock_guard lock(mutex_);
    for (const Folder& folder : folders_) {
      if (folder.polled) wanted.emplace_back(folder.user, folder.mailbox);
    }
  }
  for (const auto& [user, mailbox] : wanted) start_refresh(user, mailbox);
}

void Gateway::start_refresh(const std::string& user, MailboxId mailbox) {
  const AccountPtr handle = account(user);
  asio::post(handle->strand_, [this, handle, mailbox] {
    Result<storage::AccountStore*> store = enter(*handle);
    if (!store) return;  // shutting down, or the account is broken: a session hears of that itself
    const Leave leave{*this, *handle};
    const Outcome refreshed = (*store)->refresh(mailbox);  // publishes by the listener if anything changed
    if (!refreshed && refreshed.error().kind != ErrorKind::not_found && problem_) {
      problem_(handle->user(), refreshed.error());
    }
  });
}

}  // namespace postkeep::server
