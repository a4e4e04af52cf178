// Running a blocking job on a pool and resuming on the thread that asked. The functions here are ordinary ones that
// return an awaitable, so that callers in coroutines never have the job's lambda beside their co_await, which
// GCC 12 destroys twice (style.md C0): they are called by named functions such as Gateway's.
#pragma once

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

}  // namespace postkeep::server
