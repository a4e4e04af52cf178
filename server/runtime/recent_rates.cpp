#include "server/runtime/recent_rates.h"

namespace postkeep::server {

void RecentRates::sample(const Activity& totals, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  samples_.push_back({now, totals});
  while (samples_.size() > 1 && samples_[1].when <= now - window) samples_.pop_front();
}

Activity RecentRates::within_window(const Activity& totals, std::chrono::steady_clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  Activity before;  // nothing yet: all since the start is recent
  for (const Sample& sample : samples_) {
    if (sample.when > now - window) break;
    before = sample.totals;
  }
  return {totals.connections - before.connections, totals.logins - before.logins,
          totals.failed_logins - before.failed_logins, totals.deliveries - before.deliveries,
          totals.commands - before.commands};
}

}  // namespace postkeep::server
