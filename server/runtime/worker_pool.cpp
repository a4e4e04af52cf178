#include "server/runtime/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <asio/detail/scheduler.hpp>
#include <system_error>

namespace postkeep::server {

namespace {

constexpr unsigned threads_min = 2;

struct OfThisThread {
  WorkerPool* pool = nullptr;
  bool works = false;
};
thread_local OfThisThread own_thread;

}  // namespace

WorkerPool::WorkerPool(unsigned threads_max, std::string name)
    : threads_max_(std::max(1U, threads_max)), name_(std::move(name)) {
  const std::lock_guard lock(mutex_);
  while (threads_ < std::min(threads_min, threads_max_)) start_thread();
}

WorkerPool::~WorkerPool() {
  join();
  // Asio ends its thread of timers after it has ended the timers, which that thread may be looking at.
  if (asio::has_service<asio::detail::scheduler>(*this)) {
    asio::use_service<asio::detail::scheduler>(*this).shutdown();
  }
  shutdown();     // timers, and what waits for its turn on a strand
  jobs_.clear();  // before the services that they may need
}

void WorkerPool::join() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (Thread* idle : idle_) idle->wakes.notify_one();
  // Jobs that still run may start threads.
  for (;;) {
    const auto left = std::ranges::find_if(started_, [](const Thread& thread) { return thread.handle.joinable(); });
    if (left == started_.end()) return;
    std::thread handle = std::move(left->handle);
    lock.unlock();
    handle.join();
    lock.lock();
  }
}

unsigned WorkerPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_;
}

void WorkerPool::submit(std::unique_ptr<Job> job) {
  Thread* idle = nullptr;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_.empty()) return;  // who works looks for more
    idle = idle_.back();
    idle_.pop_back();
    idle->is_idle = false;
  }
  idle->wakes.notify_one();
}

// mutex_ is held.
WorkerPool::Thread& WorkerPool::unused_thread() {
  for (Thread& thread : started_) {
    if (!thread.has_ended) continue;
    if (thread.handle.joinable()) thread.handle.join();
    return thread;
  }
  return started_.emplace_back();
}

// mutex_ is held.
void WorkerPool::start_thread() {
  Thread& own = unused_thread();
  own.shall_end = false;
  own.has_ended = true;  // if it cannot be started
  own.handle = std::thread([this, &own] { run_thread(own); });
  own.has_ended = false;
  ++threads_;
}

void WorkerPool::run_thread(Thread& own) {
  pthread_setname_np(pthread_self(), name_.c_str());
  own_thread.pool = this;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (own.shall_end) {
      break;
    } else if (!jobs_.empty()) {
      std::unique_ptr<Job> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job->run();
      job.reset();
      lock.lock();
    } else if (ending_) {
      break;
    } else {
      wait_for_job(lock, own);
    }
  }
  own.has_ended = true;
}

// Until somebody takes it from the list of those who wait, or the pool ends.
void WorkerPool::wait_for_job(std::unique_lock<std::mutex>& lock, Thread& own) {
  own.is_idle = true;
  idle_.push_back(&own);
  own.wakes.wait(lock, [this, &own] { return !own.is_idle || ending_; });
  if (own.is_idle) std::erase(idle_, &own);
  own.is_idle = false;
}

void WorkerPool::end_idle() {
  const std::lock_guard lock(mutex_);
  const unsigned needed = std::max(threads_min, most_working_ + 1);
  while (threads_ > needed && !idle_.empty()) {
    Thread& longest = *idle_.front();
    idle_.erase(idle_.begin());
    longest.is_idle = false;
    longest.shall_end = true;
    --threads_;
    longest.wakes.notify_one();
  }
  most_working_ = working_;
}

void WorkerPool::begin_job() {
  const std::lock_guard lock(mutex_);
  ++working_;
  most_working_ = std::max(most_working_, working_);
  if (working_ < threads_ || threads_ >= threads_max_) return;
  try {
    start_thread();
  } catch (const std::system_error&) {
    // The system allows no more: those that are there do the work.
  }
}

void WorkerPool::end_job() {
  const std::lock_guard lock(mutex_);
  --working_;
}

WorkerPool::Working::Working() : pool_(own_thread.works ? nullptr : own_thread.pool) {
  if (pool_ == nullptr) return;
  own_thread.works = true;
  pool_->begin_job();
}

WorkerPool::Working::~Working() {
  if (pool_ == nullptr) return;
  own_thread.works = false;
  pool_->end_job();
}

}  // namespace postkeep::server
