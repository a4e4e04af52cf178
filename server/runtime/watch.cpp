#include "server/runtime/watch.h"

#include <asio/post.hpp>
#include <utility>

#include "server/runtime/awaits.h"

namespace postkeep::server {

Watch::Watch(const asio::any_io_executor& executor, std::function<void(Watch*)> on_destroyed)
    : timer_(executor), on_destroyed_(std::move(on_destroyed)) {}

Watch::~Watch() {
  if (on_destroyed_) on_destroyed_(this);
}

void Watch::notify() {
  marked_ = true;
  // The order matters: whoever finds a wake-up already on its way has set the mark before that wake-up
  // clears wake_posted_, and so before the waiter looks at the mark again.
  if (wake_posted_.exchange(true)) return;
  asio::post(timer_.get_executor(), [weak = weak_from_this()] {
    const std::shared_ptr<Watch> self = weak.lock();
    if (!self) return;
    self->wake_posted_ = false;
    self->timer_.cancel();
  });
}

asio::awaitable<Wake> Watch::wait() {
  while (true) {
    if (stopped_) co_return Wake::stopped;
    if (take()) co_return Wake::changed;
    timer_.expires_at(std::chrono::steady_clock::time_point::max());
    asio::error_code ignored;
    co_await timer_.async_wait(into(ignored));
  }
}

void Watch::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace postkeep::server
