// Gateway, changes by other programs: which folders are watched for whom, and the jobs that take changes in.
#include <algorithm>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "server/runtime/gateway.h"

namespace postkeep::server {
namespace {

// After a refresh a folder rests for that many times what it took, but no longer than that: IDLE tells what other
// programs do within a second.
constexpr int rest_share = 4;
constexpr std::chrono::nanoseconds rest_max = std::chrono::milliseconds(500);

}  // namespace

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
      if (folders_[{keep->user(), mailbox}].watchers++ != 0) return handle;
    }
    if (!store.watch(mailbox)) set_polled(keep->user(), mailbox, true);
    return handle;
  });
}

// From FolderWatch's destructor, on any thread.
void Gateway::unwatch(const AccountPtr& account, MailboxId mailbox) {
  const std::lock_guard lock(mutex_);
  const auto known = folders_.find({account->user(), mailbox});
  if (known == folders_.end() || --known->second.watchers != 0) return;
  const bool polled = known->second.polled;
  folders_.erase(known);
  if (closing_ || polled) return;
  // On the strand, so that it comes after a watch() of the folder that is under way. The account stays closed if it is:
  // many sessions may end at once.
  asio::post(account->strand_, [this, account, mailbox] { mail_.unwatch(account->user(), mailbox); });
}

void Gateway::handle_foreign_changes(const std::vector<storage::MailStore::ForeignChange>& changes) {
  std::vector<std::pair<std::string, MailboxId>> wanted;
  bool everything = false;
  for (const auto& change : changes) {
    if (change.unwatched) set_polled(change.user, change.mailbox, true);
    everything = everything || change.everything;
    if (!change.everything) wanted.emplace_back(change.user, change.mailbox);
  }
  if (everything) {
    wanted.clear();
    const std::lock_guard lock(mutex_);
    for (const auto& [key, folder] : folders_) wanted.push_back(key);
  }
  for (const auto& [user, mailbox] : wanted) start_refresh(user, mailbox);
}

void Gateway::poll_folders() {
  std::vector<std::pair<std::string, MailboxId>> wanted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, folder] : folders_) {
      if (folder.polled) wanted.push_back(key);
    }
  }
  for (const auto& [user, mailbox] : wanted) start_refresh(user, mailbox);
}

Gateway::Folder* Gateway::find_folder(const std::string& user, MailboxId mailbox) {
  const auto known = folders_.find({user, mailbox});
  return known == folders_.end() ? nullptr : &known->second;
}

bool Gateway::set_polled(const std::string& user, MailboxId mailbox, bool polled) {
  const std::lock_guard lock(mutex_);
  Folder* folder = find_folder(user, mailbox);
  if (folder != nullptr) folder->polled = polled;
  return folder != nullptr;
}

// One refresh of a folder waits at most, however many changes are told, and after one the folder rests: what a storm of
// changes does to the account must leave the most of it to its sessions.
void Gateway::start_refresh(const std::string& user, MailboxId mailbox) {
  const AccountPtr handle = account(user);
  SteadyTime due;
  {
    const std::lock_guard lock(mutex_);
    Folder* folder = find_folder(user, mailbox);
    if (folder == nullptr || folder->refresh_waits) return;
    folder->refresh_waits = true;
    due = folder->rests_until;
  }
  if (due <= std::chrono::steady_clock::now()) {
    asio::post(handle->strand_, [this, handle, mailbox] { refresh_folder(*handle, mailbox); });
    return;
  }
  auto timer = std::make_shared<asio::steady_timer>(handle->strand_, due);
  timer->async_wait([this, handle, mailbox, timer](const asio::error_code&) { refresh_folder(*handle, mailbox); });
}

// On the account's strand.
void Gateway::refresh_folder(Account& account, MailboxId mailbox) {
  const WorkerPool::Working working;
  const SteadyTime began = std::chrono::steady_clock::now();
  bool polled = false;
  {
    const std::lock_guard lock(mutex_);
    Folder* folder = find_folder(account.user(), mailbox);
    if (folder == nullptr) return;
    folder->refresh_waits = false;  // what is told from here on is for the next one
    polled = folder->polled;
  }
  Result<storage::AccountStore*> store = enter(account);
  if (!store) return;  // shutting down, or the account is broken: a session hears of that itself
  const Leave leave{*this, account};
  // Before the look at the folder, so that nothing falls between the two.
  if (polled && (*store)->watch(mailbox) && !set_polled(account.user(), mailbox, false)) {
    mail_.unwatch(account.user(), mailbox);  // nobody looks any more
  }
  const Outcome refreshed = (*store)->refresh(mailbox);  // publishes by the listener if anything changed
  if (!refreshed && refreshed.error().kind != ErrorKind::not_found && problem_) {
    problem_(account.user(), refreshed.error());
  }
  const SteadyTime ended = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  Folder* folder = find_folder(account.user(), mailbox);
  if (folder != nullptr) folder->rests_until = ended + std::min(rest_share * (ended - began), rest_max);
}

}  // namespace postkeep::server
