#include "server/runtime/task_group.h"

#include <exception>
#include <utility>

#include "server/runtime/awaits.h"

namespace postkeep::server {

TaskGroup::TaskGroup(const asio::any_io_executor& executor) : finished_(executor) {}

TaskGroup::~TaskGroup() {
  if (running_ != 0) std::terminate();
}

void TaskGroup::spawn(asio::awaitable<void> child) {
  ++running_;
  asio::co_spawn(finished_.get_executor(), std::move(child),
                 [this](std::exception_ptr failure) { ended(std::move(failure)); });
}

void TaskGroup::ended(std::exception_ptr failure) {
  --running_;
  if (failure && !failure_) failure_ = std::move(failure);
  if (running_ == 0) finished_.cancel();
}

asio::awaitable<void> TaskGroup::join() {
  while (running_ != 0) {
    finished_.expires_at(std::chrono::steady_clock::time_point::max());
    asio::error_code ignored;
    co_await finished_.async_wait(into(ignored));
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace postkeep::server
