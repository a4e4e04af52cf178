#include "server/runtime/deadline.h"

#include <utility>

namespace postkeep::server {

struct Deadline::Core : std::enable_shared_from_this<Core> {
  Core(const asio::any_io_executor& executor, std::function<void()> callback)
      : timer(executor), on_expiry(std::move(callback)) {}

  void start(SteadyTime when) {
    timer_until = when;
    timer.expires_at(when);  // ends the wait that was there, whose handler then sees a newer round
    const unsigned round = ++current_round;
    timer.async_wait([self = shared_from_this(), round](const asio::error_code& error) { self->fired(error, round); });
  }

  void fired(const asio::error_code& error, unsigned round) {
    if (error || round != current_round || !on_expiry) return;
    timer_until = SteadyTime::max();
    if (wanted == SteadyTime::max()) return;
    if (std::chrono::steady_clock::now() < wanted) return start(wanted);
    wanted = SteadyTime::max();
    on_expiry();
  }

  asio::basic_waitable_timer<std::chrono::steady_clock> timer;
  std::function<void()> on_expiry;  // empty once the Deadline is gone
  SteadyTime wanted = SteadyTime::max();
  SteadyTime timer_until = SteadyTime::max();  // when the timer fires; max: it does not run
  unsigned current_round = 0;
};

Deadline::Deadline(asio::any_io_executor executor, std::function<void()> on_expiry)
    : core_(std::make_shared<Core>(std::move(executor), std::move(on_expiry))) {}

Deadline::~Deadline() {
  core_->on_expiry = nullptr;
  core_->timer.cancel();
}

void Deadline::arm(SteadyTime when) {
  core_->wanted = when;
  if (when < core_->timer_until) core_->start(when);
}

void Deadline::disarm() { core_->wanted = SteadyTime::max(); }

}  // namespace postkeep::server
