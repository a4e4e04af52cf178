// The token names for the Asio that we have (1.22): there is no asio::as_tuple or cancel_after yet, so
// that only this header has to change when there is. Included by everything in server/ that awaits.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "protocol/base/result.h"

namespace postkeep::server {

template <class T>
using Awaitable = asio::awaitable<T>;

// For waits whose error is an answer: `co_await timer.async_wait(into(error));`
inline auto into(asio::error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

// Lets others on this thread run before going on.
inline asio::awaitable<void> yield_thread(asio::any_io_executor executor) {
  co_await asio::post(executor, asio::use_awaitable);
}

}  // namespace postkeep::server
