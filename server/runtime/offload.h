// Running a blocking job on a pool and resuming on the thread that asked. The functions here are ordinary ones that
// return an awaitable, so that callers in coroutines never have the job's lambda beside their co_await, which
// GCC 12 destroys twice (style.md C0): they are called by named functions such as Gateway's.
#pragma once

#include <asio/bind_executor.hpp>
#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "server/runtime/awaits.h"
#include "server/runtime/worker_pool.h"

namespace postkeep::server {
namespace detail {

template <class Job>
asio::awaitable<std::invoke_result_t<Job&>> run_job(Job job) {
  const WorkerPool::Working working;
  co_return job();
}

}  // namespace detail

// `job()` must return something default-constructible (a Result is). An exception comes out of the await.
template <class Executor, class Job>
asio::awaitable<std::invoke_result_t<Job&>> run_on(Executor executor, Job job) {
  return asio::co_spawn(std::move(executor), detail::run_job<Job>(std::move(job)), asio::use_awaitable);
}

// Starts `work` on `executor`, for a thread that may block until it has ended. As asio::use_future, which would start
// threads of Asio's own to tell the future.
template <class Executor, class Value>
std::future<Value> start_with_future(Executor executor, Awaitable<Value> work) {
  const auto promise = std::make_shared<std::promise<Value>>();
  auto finish = [promise](std::exception_ptr failure, auto... value) {
    if (failure) {
      promise->set_exception(std::move(failure));
    } else {
      promise->set_value(std::move(value)...);
    }
  };
  asio::co_spawn(executor, std::move(work), asio::bind_executor(executor, std::move(finish)));
  return promise->get_future();
}

}  // namespace postkeep::server
