// WorkerPool: threads for jobs that block: on the disk, or on a costly hash. There are as many as jobs run at one time,
// and one to spare, up to a limit; those that were not needed lately end when end_idle() is called. So a server that is
// idle keeps few of them, and little of the memory that the C library keeps for each; asio::thread_pool starts all that
// it may have, and keeps them.
//
// A job wakes one thread, that which began to wait last: its memory is in the caches still. Asio's own scheduler wakes
// threads by one condition variable for all, each of which then looks for more to wake; for the many short jobs of
// deliveries that cost more than the jobs (docs/architecture.md).
#pragma once

#include <asio/execution.hpp>
#include <asio/execution_context.hpp>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace postkeep::server {

// Thread-safe. Timers on it are kept by a thread of Asio's own, which begins with the first.
class WorkerPool : public asio::execution_context {
 public:
  class Executor;
  using executor_type = Executor;

  // At most `threads_max` (at least 1) threads, called `name` where the system lists them.
  WorkerPool(unsigned threads_max, std::string name);
  ~WorkerPool();  // join()s
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  Executor get_executor();
  // Waits for all jobs that were given to the pool, and ends its threads: what is given to it later is dropped. It
  // waits for no timer. Not on one of its threads.
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
  class Job {
   public:
    virtual ~Job() = default;
    virtual void run() = 0;
  };
  template <class Function>
  class JobOf;
  void submit(std::unique_ptr<Job> job);

  void begin_job();
  void end_job();
  // In a list, which keeps its place until the pool is destroyed: who wakes it does so without the mutex.
  struct Thread {
    std::thread handle;
    std::condition_variable wakes;
    bool is_idle = false;  // in idle_
    bool shall_end = false;
    bool has_ended = false;  // or is about to: it takes mutex_ no more
  };
  void run_thread(Thread& own);
  void start_thread();
  Thread& unused_thread();
  void wait_for_job(std::unique_lock<std::mutex>& lock, Thread& own);

  const unsigned threads_max_;
  const std::string name_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<std::unique_ptr<Job>> jobs_;
  bool ending_ = false;
  unsigned threads_ = 0;  // without those that were told to end
  unsigned working_ = 0;
  unsigned most_working_ = 0;  // since the last end_idle()
  std::list<Thread> started_;
  std::vector<Thread*> idle_;  // which began to wait last: at the end
};

// What Asio asks of an executor (P0443 as Asio 1.22 has it). A job never runs inside execute().
class WorkerPool::Executor {
 public:
  explicit Executor(WorkerPool& pool) noexcept : pool_(&pool) {}
  asio::execution_context& query(asio::execution::context_t) const noexcept { return *pool_; }
  asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept { return blocking_; }
  // A strand runs what is dispatched on it at once, if it is its turn and this is `possibly`.
  Executor require(asio::execution::blocking_t::possibly_t wanted) const noexcept { return Executor(*pool_, wanted); }
  Executor require(asio::execution::blocking_t::never_t wanted) const noexcept { return Executor(*pool_, wanted); }
  template <class Function>
  void execute(Function&& function) const;
  bool operator==(const Executor& other) const noexcept { return pool_ == other.pool_ && blocking_ == other.blocking_; }
  bool operator!=(const Executor& other) const noexcept { return !(*this == other); }

 private:
  Executor(WorkerPool& pool, asio::execution::blocking_t blocking) noexcept : pool_(&pool), blocking_(blocking) {}

  WorkerPool* pool_;
  asio::execution::blocking_t blocking_ = asio::execution::blocking.possibly;
};

template <class Function>
class WorkerPool::JobOf : public Job {
 public:
  explicit JobOf(Function function) : function_(std::move(function)) {}
  void run() override { function_(); }

 private:
  Function function_;
};

template <class Function>
void WorkerPool::Executor::execute(Function&& function) const {
  pool_->submit(std::make_unique<JobOf<std::decay_t<Function>>>(std::forward<Function>(function)));
}

inline WorkerPool::Executor WorkerPool::get_executor() { return Executor(*this); }

}  // namespace postkeep::server
