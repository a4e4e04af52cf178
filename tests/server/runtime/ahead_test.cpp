#include "server/runtime/ahead.h"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <future>
#include <stdexcept>
#include <string>

#include "server/runtime/worker_pool.h"

using namespace postkeep::server;

namespace {

Awaitable<std::string> say(std::string words, std::shared_future<void> when) {
  when.wait();
  if (words.empty()) throw std::runtime_error("nothing to say");
  co_return words;
}

// Whether the work has ended already is up to `when`.
Awaitable<std::string> hear(WorkerPool& pool, std::string words, std::promise<void>& when) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  Ahead<std::string> ahead(here, pool.get_executor(), say(std::move(words), when.get_future().share()));
  when.set_value();
  for (int i = 0; i < 100; ++i) co_await yield_thread(here);
  co_return co_await ahead.get();
}

Awaitable<int> leave(WorkerPool& pool, std::shared_future<void> when) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const Ahead<std::string> ahead(here, pool.get_executor(), say("not heard", std::move(when)));
  co_return 1;
}

}  // namespace

TEST_CASE("work goes on while its result is not asked for, and its failure comes with the result") {
  WorkerPool pool(1, "test");
  asio::io_context io{1};
  std::promise<void> first, second;
  auto heard = asio::co_spawn(io, hear(pool, "heard", first), asio::use_future);
  auto failed = asio::co_spawn(io, hear(pool, "", second), asio::use_future);
  io.run();
  CHECK(heard.get() == "heard");
  CHECK_THROWS_WITH(failed.get(), "nothing to say");
}

TEST_CASE("a result that nobody waits for is dropped") {
  WorkerPool pool(1, "test");
  asio::io_context io{1};
  std::promise<void> when;
  auto left = asio::co_spawn(io, leave(pool, when.get_future().share()), asio::use_future);
  io.run_one();
  when.set_value();
  io.run();
  CHECK(left.get() == 1);
}
