#include "server/runtime/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <asio/post.hpp>
#include <system_error>
#include <utility>

namespace postkeep::server {

namespace {

constexpr unsigned threads_min = 2;

// Thrown by a job that is there to end a thread; its loop catches it.
struct EndOfThread {};

struct OfThisThread {
  WorkerPool* pool = nullptr;
  bool works = false;
};
thread_local OfThisThread own_thread;

}  // namespace

WorkerPool::WorkerPool(unsigned threads_max, std::string name)
    : threads_max_(std::max(1U, threads_max)),
      name_(std::move(name)),
      context_(static_cast<int>(threads_max_)),
      work_(asio::make_work_guard(context_)) {
  const std::lock_guard lock(mutex_);
  while (threads_ < std::min(threads_min, threads_max_)) start_thread();
}

WorkerPool::~WorkerPool() { join(); }

void WorkerPool::join() {
  work_.reset();
  // Jobs that still run may start threads.
  while (true) {
    std::list<Thread> left;
    {
      const std::lock_guard lock(mutex_);
      left.splice(left.end(), started_);
    }
    if (left.empty()) return;
    for (Thread& thread : left) thread.handle.join();
  }
}

unsigned WorkerPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_;
}

// mutex_ is held.
void WorkerPool::start_thread() {
  std::erase_if(started_, [](Thread& thread) {
    if (thread.has_ended) thread.handle.join();
    return thread.has_ended;
  });
  Thread& own = started_.emplace_back();
  try {
    own.handle = std::thread([this, &own] { run_thread(own); });
  } catch (const std::system_error&) {
    started_.pop_back();
    throw;
  }
  ++threads_;
}

void WorkerPool::run_thread(Thread& own) {
  pthread_setname_np(pthread_self(), name_.c_str());
  own_thread.pool = this;
  try {
    context_.run();
  } catch (const EndOfThread&) {
    const std::lock_guard lock(mutex_);
    own.has_ended = true;
  }
}

// Whichever thread comes to it ends: the others do for what is left.
void WorkerPool::end_idle() {
  const std::lock_guard lock(mutex_);
  const unsigned needed = std::max(threads_min, most_working_ + 1);
  for (; threads_ > needed; --threads_) asio::post(context_, [] { throw EndOfThread(); });
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
