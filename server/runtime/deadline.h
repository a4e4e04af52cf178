// Deadline: one timer per connection. Arming it again, which happens with every read, costs nothing: the
// timer underneath keeps running and looks at the new time when it fires. Used by net/connection.
// Lives on one thread.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace postkeep::server {

using SteadyTime = std::chrono::steady_clock::time_point;

class Deadline {
 public:
  // `on_expiry` is called on the executor's thread, once per arming, never after this object is gone.
  Deadline(asio::any_io_executor executor, std::function<void()> on_expiry);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(SteadyTime when);
  void disarm();

 private:
  struct Core;  // outlives this object while a handler is on its way
  std::shared_ptr<Core> core_;
};

}  // namespace postkeep::server
