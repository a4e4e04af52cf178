// WorkerPool: threads for jobs that block: on the disk, or on a costly hash. There are as many as jobs run at one time,
// and one to spare, up to a limit; those that were not needed lately end when end_idle() is called. So a server that is
// idle keeps few of them, and little of the memory that the C library keeps for each; asio::thread_pool starts all that
// it may have, and keeps them.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace postkeep::server {

// Thread-safe.
class WorkerPool {
 public:
  using executor_type = asio::io_context::executor_type;

  // At most `threads_max` (at least 1) threads, called `name` where the system lists them.
  WorkerPool(unsigned threads_max, std::string name);
  ~WorkerPool();  // join()s
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  executor_type get_executor() { return context_.get_executor(); }
  // Waits for all that was given to the pool, timers included, and ends its threads. Not on one of them.
  void join();
  unsigned threads() const;
  // Ends the threads that no job has needed since the last call.
  void end_idle();

  // A job has one for as long as it may block, so that a thread is there for the next. Without effect on a thread of
  // no pool, and within another one.
  class Working {
   public:
    Working();
    ~Working();
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;

   private:
    WorkerPool* const pool_;  // whose count this is in, if any
  };

 private:
  void begin_job();
  void end_job();
  // In a list, which keeps its place: identifiers of threads are used again.
  struct Thread {
    std::thread handle;
    bool has_ended = false;  // or is about to: it takes mutex_ no more
  };
  void run_thread(Thread& own);
  void start_thread();

  const unsigned threads_max_;
  const std::string name_;
  asio::io_context context_;
  std::optional<asio::executor_work_guard<executor_type>> work_;
  mutable std::mutex mutex_;  // guards what follows
  unsigned threads_ = 0;      // without those that were told to end
  unsigned working_ = 0;
  unsigned most_working_ = 0;  // since the last end_idle()
  std::list<Thread> started_;
};

}  // namespace postkeep::server
