#include "server/runtime/login_intervals.h"

#include <doctest/doctest.h>

using namespace postkeep::server;
using namespace std::chrono_literals;

TEST_CASE("a user waits from one login to the next, and who came too soon waits no longer for it") {
  LoginIntervals intervals;
  const LoginIntervals::Clock::time_point start{1'000s};
  CHECK(intervals.admit("alice", 60s, start));
  CHECK_FALSE(intervals.admit("alice", 60s, start + 1s));
  CHECK(intervals.admit("bob", 60s, start + 1s));
  CHECK_FALSE(intervals.admit("alice", 60s, start + 59s));
  CHECK(intervals.admit("alice", 60s, start + 60s));
  CHECK_FALSE(intervals.admit("alice", 60s, start + 61s));
}

TEST_CASE("a login that came to nothing does not count, and a shorter interval holds at once") {
  LoginIntervals intervals;
  const LoginIntervals::Clock::time_point start{1'000s};
  CHECK(intervals.admit("alice", 60s, start));
  intervals.forget("alice");
  CHECK(intervals.admit("alice", 60s, start + 1s));
  CHECK(intervals.admit("alice", 10s, start + 12s));
}

TEST_CASE("entries that say nothing any more are not kept") {
  LoginIntervals intervals;
  const LoginIntervals::Clock::time_point start{1'000s};
  for (int i = 0; i < 1'000; ++i) intervals.admit("user" + std::to_string(i), 60s, start);
  CHECK(intervals.size() == 1'000);
  CHECK(intervals.admit("late", 60s, start + 61s));
  CHECK(intervals.size() == 1);
}
