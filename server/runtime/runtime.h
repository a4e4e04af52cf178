// Runtime: the threads. N session threads with one io_context each (a connection lives on one of them for life), a
// storage pool sized for waiting on the disk, and a small pool for password checks. The thread that
// calls App::run has a context of its own, for listeners and signals.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "server/runtime/worker_pool.h"

namespace postkeep::server {

class Runtime {
 public:
  struct Options {
    unsigned io_threads = 2;        // each at least 1
    unsigned storage_threads = 32;  // at most, as the next
    unsigned auth_threads = 2;
    unsigned stranger_threads = 2;
  };
  // Starts the threads.
  explicit Runtime(Options options);
  ~Runtime();  // join()s
  // Waits for the jobs that run and ends all threads but that of timers. No session may be left: its frame would be
  // destroyed without having ended. The contexts stay until the destructor, for what still refers to them.
  void join();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  std::size_t io_count() const { return io_.size(); }
  asio::io_context& io(std::size_t index) { return *io_[index]->context; }
  WorkerPool& storage_pool() { return storage_; }
  WorkerPool& auth_pool() { return auth_; }
  // For logins of those who have not logged in from where they come: they queue here, not before all others.
  WorkerPool& stranger_pool() { return strangers_; }

 private:
  struct IoThread {
    std::unique_ptr<asio::io_context> context;
    asio::executor_work_guard<asio::io_context::executor_type> work;
    std::thread thread;
    explicit IoThread(std::unique_ptr<asio::io_context> owned);
  };
  std::vector<std::unique_ptr<IoThread>> io_;
  WorkerPool storage_;
  WorkerPool auth_;
  WorkerPool strangers_;
};

}  // namespace postkeep::server
