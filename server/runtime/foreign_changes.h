// Foreign changes: waits for what the mail store has to say about changes by other programs, and has the folders
// refreshed. Where watching is not possible, the folders are polled. Runs on the App's own thread.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "server/runtime/gateway.h"
#include "server/runtime/task_group.h"
#include "storage/account_store.h"

namespace postkeep::server {

class ForeignChanges {
 public:
  ForeignChanges(asio::io_context& io, storage::MailStore& mail, Gateway& gateway);
  ~ForeignChanges();
  ForeignChanges(const ForeignChanges&) = delete;
  ForeignChanges& operator=(const ForeignChanges&) = delete;

  // Starts the loops as children of `group`, which is joined after stop().
  void start(TaskGroup& group);
  void stop();

 private:
  asio::awaitable<void> watch();
  asio::awaitable<void> poll();

  storage::MailStore& mail_;
  Gateway& gateway_;
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type>
      descriptor_;  // the store's; released, not closed
  asio::basic_waitable_timer<std::chrono::steady_clock> timer_;
  bool stopping_ = false;
};

}  // namespace postkeep::server
