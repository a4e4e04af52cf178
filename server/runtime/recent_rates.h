// RecentRates: what happened in the last minute, from counters that only grow. For `status`. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>

namespace postkeep::server {

// Counts since the start, or of some time.
struct Activity {
  std::uint64_t connections = 0, logins = 0, failed_logins = 0, deliveries = 0, commands = 0;
};

class RecentRates {
 public:
  static constexpr std::chrono::seconds window{60};

  // About once a second.
  void sample(const Activity& totals, std::chrono::steady_clock::time_point now);
  // What was added since the oldest sample that is at most a window old, up to `totals`; since the start if that is
  // later.
  Activity within_window(const Activity& totals, std::chrono::steady_clock::time_point now) const;

 private:
  struct Sample {
    std::chrono::steady_clock::time_point when;
    Activity totals;
  };
  mutable std::mutex mutex_;
  std::deque<Sample> samples_;  // oldest first, one of them at most older than the window
};

}  // namespace postkeep::server
