#include "server/runtime/worker_pool.h"

#include <doctest/doctest.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <list>
#include <thread>

#include "tests/server/runtime/eventually.h"

using namespace postkeep::server;

namespace {

void post_job(WorkerPool& pool, std::function<void()> job) {
  asio::post(pool.get_executor(), [job = std::move(job)] {
    const WorkerPool::Working working;
    job();
  });
}

}  // namespace

TEST_CASE("jobs that block run side by side, as many as the pool may have threads") {
  WorkerPool pool(8, "test");
  std::latch all(8);
  std::atomic<int> done = 0;
  for (int i = 0; i < 8; ++i) {
    post_job(pool, [&] {
      all.arrive_and_wait();  // each waits for all others
      ++done;
    });
  }
  pool.join();
  CHECK(done == 8);
}

TEST_CASE("a pool has no more threads than it may have, and ends those that it does not need") {
  WorkerPool pool(5, "test");
  CHECK(pool.threads() == 2);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  for (int i = 0; i < 40; ++i) {
    post_job(pool, [&] {
      const int now = ++running;
      int before = most;
      while (before < now && !most.compare_exchange_weak(before, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      --running;
      ++done;
    });
  }
  CHECK(postkeep::test::eventually([&] { return done == 40; }));
  CHECK(most <= 5);
  CHECK(pool.threads() <= 5);
  pool.end_idle();  // they have been needed until now
  CHECK(pool.threads() > 2);
  CHECK(postkeep::test::eventually([&] {
    pool.end_idle();
    return pool.threads() == 2;
  }));
  // And begins them again.
  std::latch all(5);
  for (int i = 0; i < 5; ++i) post_job(pool, [&] { all.arrive_and_wait(); });
  pool.join();
}

TEST_CASE("a pool of one thread runs one job after another, also one that counts itself twice") {
  WorkerPool pool(1, "test");
  int done = 0;
  for (int i = 0; i < 3; ++i) {
    post_job(pool, [&] {
      const WorkerPool::Working again;
      ++done;
    });
  }
  pool.join();
  CHECK(done == 3);
  CHECK(pool.threads() <= 1);
}

TEST_CASE("a timer on a pool fires on one of its threads, in the turn of its strand") {
  WorkerPool pool(4, "test");
  auto strand = asio::make_strand(pool.get_executor());
  std::atomic<int> fired = 0;
  std::atomic<int> inside = 0;
  std::atomic<bool> together = false;
  std::atomic<bool> elsewhere = false;
  const std::thread::id here = std::this_thread::get_id();
  std::list<asio::steady_timer> timers;
  for (int i = 0; i < 20; ++i) {
    timers.emplace_back(strand, std::chrono::milliseconds(i % 3)).async_wait([&](const asio::error_code& error) {
      if (++inside > 1) together = true;
      if (error || !strand.running_in_this_thread() || std::this_thread::get_id() == here) elsewhere = true;
      --inside;
      ++fired;
    });
  }
  CHECK(postkeep::test::eventually([&] { return fired == 20; }));
  CHECK_FALSE(together);
  CHECK_FALSE(elsewhere);
}

TEST_CASE("a pool ends with timers that wait, and what they would have told is told or dropped") {
  for (int i = 0; i < 50; ++i) {
    std::atomic<int> told = 0;
    {
      WorkerPool pool(2, "test");
      asio::steady_timer late(pool.get_executor(), std::chrono::hours(1));
      late.async_wait([&told](const asio::error_code&) { ++told; });
      asio::steady_timer soon(pool.get_executor(), std::chrono::microseconds(i * 10));
      soon.async_wait([&told](const asio::error_code&) { ++told; });
      pool.join();
    }
    CHECK(told <= 2);
  }
}
