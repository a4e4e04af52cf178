#include "server/runtime/login_intervals.h"

namespace postkeep::server {

bool LoginIntervals::admit(const std::string& user, std::chrono::seconds delay, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  sweep(delay, now);
  const auto known = last_.find(user);
  if (known != last_.end() && now - known->second < delay) return false;
  last_[user] = now;
  return true;
}

void LoginIntervals::forget(const std::string& user) {
  const std::lock_guard lock(mutex_);
  last_.erase(user);
}

std::size_t LoginIntervals::size() const {
  const std::lock_guard lock(mutex_);
  return last_.size();
}

void LoginIntervals::sweep(std::chrono::seconds delay, Clock::time_point now) {
  if (now < sweep_at_) return;
  std::erase_if(last_, [&](const auto& entry) { return now - entry.second >= delay; });
  sweep_at_ = now + delay;
}

}  // namespace postkeep::server
