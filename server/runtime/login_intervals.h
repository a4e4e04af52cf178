// LoginIntervals: who logged in when, for protocols that want a user to wait between two logins (POP3's LOGIN-DELAY,
// RFC 2449 §6.5). Kept in memory only. Thread-safe; nothing blocks.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace postkeep::server {

class LoginIntervals {
 public:
  using Clock = std::chrono::steady_clock;

  // Whether the last login of `user` that was admitted is `delay` ago, or none is known; then this is the last one.
  bool admit(const std::string& user, std::chrono::seconds delay, Clock::time_point now = Clock::now());
  // The login came to nothing.
  void forget(const std::string& user);
  std::size_t size() const;

 private:
  void sweep(std::chrono::seconds delay, Clock::time_point now);  // with the mutex held

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point> last_;
  Clock::time_point sweep_at_{};  // entries that say nothing any more are removed then
};

}  // namespace postkeep::server
