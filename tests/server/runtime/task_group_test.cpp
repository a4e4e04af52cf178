#include "server/runtime/task_group.h"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <stdexcept>

#include "server/runtime/awaits.h"
#include "server/runtime/deadline.h"

using namespace postkeep::server;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> child(std::chrono::milliseconds time, int& ended, bool fails) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  ++ended;
  if (fails) throw std::runtime_error("a child failed");
}

asio::awaitable<int> parent(asio::any_io_executor executor, bool one_fails) {
  int ended = 0;
  TaskGroup group(executor);
  for (int i = 0; i < 5; ++i) group.spawn(child(std::chrono::milliseconds(2 * i), ended, one_fails && i == 1));
  co_await group.join();
  co_return ended;
}

asio::awaitable<int> parent_that_looks(asio::any_io_executor executor) {
  int ended = 0;
  TaskGroup group(executor);
  for (int i = 0; i < 5; ++i) group.spawn(child(std::chrono::milliseconds(2 * i), ended, i == 1));
  try {
    co_await group.join();
  } catch (const std::runtime_error&) {
  }
  co_return group.running() == 0 ? ended : -1;
}

}  // namespace

TEST_CASE("join returns when all children have ended") {
  asio::io_context io{1};
  auto ended = asio::co_spawn(io, parent(io.get_executor(), false), asio::use_future);
  io.run();
  CHECK(ended.get() == 5);
}

TEST_CASE("a child's failure comes out of join, after all others have ended") {
  asio::io_context io{1};
  auto failed = asio::co_spawn(io, parent(io.get_executor(), true), asio::use_future);
  auto looked = asio::co_spawn(io, parent_that_looks(io.get_executor()), asio::use_future);
  io.run();
  CHECK_THROWS_WITH(failed.get(), "a child failed");
  CHECK(looked.get() == 5);
}

TEST_CASE("a deadline fires at its newest time, once") {
  asio::io_context io{1};
  int fired = 0;
  std::chrono::steady_clock::time_point fired_at;
  Deadline deadline(io.get_executor(), [&] {
    ++fired;
    fired_at = std::chrono::steady_clock::now();
  });
  const auto start = std::chrono::steady_clock::now();
  deadline.arm(start + 10ms);
  deadline.arm(start + 60ms);  // later: the timer runs on and looks again
  io.run_for(5s);              // it ends when nothing is left to wait for
  CHECK(fired == 1);
  CHECK(fired_at >= start + 60ms);
  deadline.arm(std::chrono::steady_clock::now() + 100s);
  deadline.arm(std::chrono::steady_clock::now() + 5ms);  // earlier
  io.restart();
  io.run_for(5s);
  CHECK(fired == 2);
}

TEST_CASE("a deadline that was disarmed or is gone does not fire") {
  asio::io_context io{1};
  int fired = 0;
  {
    Deadline deadline(io.get_executor(), [&] { ++fired; });
    deadline.arm(std::chrono::steady_clock::now() + 5ms);
    deadline.disarm();
    io.run_for(50ms);
    deadline.arm(std::chrono::steady_clock::now());
  }
  io.restart();
  io.run_for(50ms);
  CHECK(fired == 0);
}
