#include "server/runtime/change_hub.h"

#include <utility>

namespace postkeep::server {

std::shared_ptr<Watch> ChangeHub::subscribe(const std::string& user, asio::any_io_executor executor) {
  auto watch =
      std::make_shared<Watch>(std::move(executor), [this, user](Watch* destroyed) { forget(user, destroyed); });
  const std::lock_guard lock(mutex_);
  watches_[user].push_back(Entry{watch.get(), watch});
  return watch;
}

void ChangeHub::publish(const std::string& user) {
  std::vector<std::shared_ptr<Watch>> marked;  // destroyed after the lock: a last owner calls forget()
  {
    const std::lock_guard lock(mutex_);
    const auto found = watches_.find(user);
    if (found == watches_.end()) return;
    marked.reserve(found->second.size());
    for (const Entry& entry : found->second) {
      if (auto watch = entry.watch.lock()) marked.push_back(std::move(watch));
    }
  }
  for (const auto& watch : marked) watch->notify();
}

std::size_t ChangeHub::watch_count() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [user, entries] : watches_) count += entries.size();
  return count;
}

void ChangeHub::forget(const std::string& user, const Watch* watch) {
  const std::lock_guard lock(mutex_);
  const auto found = watches_.find(user);
  if (found == watches_.end()) return;
  std::erase_if(found->second, [watch](const Entry& entry) { return entry.key == watch; });
  if (found->second.empty()) watches_.erase(found);
}

}  // namespace postkeep::server
