#include "server/runtime/change_hub.h"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <chrono>
#include <thread>

#include "server/runtime/awaits.h"
#include "tests/server/runtime/eventually.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace std::chrono_literals;

using test::eventually;

namespace {

// A session thread.
struct SessionThread {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::thread thread{[this] { io.run(); }};
  ~SessionThread() {
    work.reset();
    thread.join();
  }
};

// Notes the newest value after each wake-up, as a session reads the newest version.
asio::awaitable<unsigned> follow(std::shared_ptr<Watch> watch, const std::atomic<unsigned>& value,
                                 std::atomic<unsigned>& seen) {
  unsigned wakes = 0;
  while (true) {
    const Wake wake = co_await watch->wait();
    if (wake == Wake::stopped) co_return wakes;
    ++wakes;
    seen = value.load();
  }
}

}  // namespace

TEST_CASE("of 2,000 changes published one by one none is missed by a waiting session") {
  ChangeHub hub;
  SessionThread session;
  const auto watch = hub.subscribe("alice", session.io.get_executor());
  std::atomic<unsigned> value{0}, seen{0};
  auto wakes = asio::co_spawn(session.io, follow(watch, value, seen), asio::use_future);
  unsigned missed = 0;
  for (unsigned round = 1; round <= 2'000; ++round) {
    value = round;
    hub.publish("alice");
    if (!eventually([&] { return seen == round; })) ++missed;
  }
  CHECK(missed == 0);
  asio::post(session.io, [&] { watch->stop(); });
  CHECK(wakes.get() <= 2'000);
}

TEST_CASE("the last of a storm of changes from four threads is seen, in no more wake-ups than changes") {
  ChangeHub hub;
  SessionThread session;
  const auto watch = hub.subscribe("alice", session.io.get_executor());
  std::atomic<unsigned> value{0}, seen{0};
  auto wakes = asio::co_spawn(session.io, follow(watch, value, seen), asio::use_future);
  std::vector<std::thread> publishers;
  for (int i = 0; i < 4; ++i) {
    publishers.emplace_back([&] {
      for (int change = 0; change < 2'000; ++change) {
        ++value;
        hub.publish("alice");
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  CHECK(eventually([&] { return seen == 8'000; }));
  asio::post(session.io, [&] { watch->stop(); });
  CHECK(wakes.get() <= 8'000);
}

TEST_CASE("a mark is there at once, before the session's thread has run anything") {
  ChangeHub hub;
  asio::io_context io{1};  // nobody runs it
  const auto watch = hub.subscribe("alice", io.get_executor());
  CHECK_FALSE(watch->take());
  hub.publish("alice");
  CHECK(watch->marked());
  CHECK(watch->take());
  CHECK_FALSE(watch->take());
}

TEST_CASE("a change wakes its own account's watches and no others") {
  ChangeHub hub;
  asio::io_context io{1};
  const auto alice = hub.subscribe("alice", io.get_executor());
  const auto again = hub.subscribe("alice", io.get_executor());
  const auto bob = hub.subscribe("bob", io.get_executor());
  hub.publish("alice");
  CHECK(alice->take());
  CHECK(again->take());
  CHECK_FALSE(bob->take());
}

TEST_CASE("a watch that nobody owns is forgotten, also while it is being notified") {
  ChangeHub hub;
  SessionThread session;
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    while (!stop) hub.publish("alice");
  });
  for (int i = 0; i < 500; ++i) hub.subscribe("alice", session.io.get_executor());
  stop = true;
  publisher.join();
  CHECK(hub.watch_count() == 0);
}

TEST_CASE("a stopped watch ends its wait, and waits again after restart") {
  ChangeHub hub;
  asio::io_context io{1};
  const auto watch = hub.subscribe("alice", io.get_executor());
  std::atomic<unsigned> value{1}, seen{0};
  watch->stop();
  auto first = asio::co_spawn(io, follow(watch, value, seen), asio::use_future);
  io.run();
  CHECK(first.get() == 0);
  watch->restart();
  hub.publish("alice");
  auto second = asio::co_spawn(io, follow(watch, value, seen), asio::use_future);
  io.restart();
  io.run_for(20ms);
  CHECK(seen == 1);
  watch->stop();
  io.restart();
  io.run();
  CHECK(second.get() == 1);
}
