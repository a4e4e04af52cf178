// TaskGroup: children of a scope. Nothing is detached: whoever spawns joins, on errors too, before what
// the children refer to is gone. Used by sessions (IDLE's pusher) and by the runtime (its sessions).
// Lives on one thread, and so do its children.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <exception>

namespace postkeep::server {

class TaskGroup {
 public:
  // `executor`: the thread of the group.
  explicit TaskGroup(const asio::any_io_executor& executor);
  // All children must have been joined; anything else is a bug that ends the program.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `child`; it runs when the caller next suspends. An exception is kept for join().
  void spawn(asio::awaitable<void> child);
  // Returns when no child is left; rethrows the first exception that a child ended with.
  asio::awaitable<void> join();
  std::size_t running() const { return running_; }

 private:
  void ended(std::exception_ptr failure);

  asio::basic_waitable_timer<std::chrono::steady_clock> finished_;  // never expires; cancelled when a child ends
  std::size_t running_ = 0;
  std::exception_ptr failure_;
};

}  // namespace postkeep::server
