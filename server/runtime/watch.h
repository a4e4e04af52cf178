// Watch: a session's wake-up call (style: level-triggered, carries no data). Made by ChangeHub::subscribe,
// owned by the session; others reach it by notify() only. A mark says "something in this account changed
// since you last took it"; the session then asks for the mailbox's current version.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <functional>
#include <memory>

namespace postkeep::server {

enum class Wake { changed, stopped };

class Watch : public std::enable_shared_from_this<Watch> {
 public:
  // `executor`: the session's own thread. `on_destroyed`: for the hub, which forgets it.
  Watch(const asio::any_io_executor& executor, std::function<void(Watch*)> on_destroyed);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Any thread. Sets the mark and wakes wait(); never blocks, never lost, many may cost one wake-up.
  void notify();

  // --- The session's thread only.
  asio::any_io_executor executor() { return timer_.get_executor(); }
  // Whether something changed since the last take() or changed wait(); forgets it. No storage call, so
  // it may be asked before every tagged reply.
  bool take() { return marked_.exchange(false); }
  bool marked() const { return marked_; }
  // Waits for a mark, and takes it, or for stop(). One waiter at a time. Interrupts nothing but itself.
  asio::awaitable<Wake> wait();
  // Ends wait(), now or as soon as it is called, until restart(). How IDLE's reader ends its pusher.
  void stop();
  void restart() { stopped_ = false; }

 private:
  std::atomic<bool> marked_{false};
  std::atomic<bool> wake_posted_{false};
  bool stopped_ = false;
  asio::basic_waitable_timer<std::chrono::steady_clock> timer_;  // never expires; cancelling it is the wake-up
  std::function<void(Watch*)> on_destroyed_;
};

}  // namespace postkeep::server
