#include "server/runtime/recent_rates.h"

#include <doctest/doctest.h>

using namespace postkeep::server;
using std::chrono::seconds;

TEST_CASE("rates are those of the last minute, or since the start where that is later") {
  const auto start = std::chrono::steady_clock::now();
  RecentRates rates;
  CHECK(rates.within_window({0, 5, 0, 0, 0}, start).logins == 5);
  for (int second = 1; second <= 300; ++second) {
    const auto count = static_cast<std::uint64_t>(second);
    rates.sample({count, 2 * count, 0, 0, 7}, start + seconds(second));
  }
  const Activity recent = rates.within_window({300, 600, 1, 0, 7}, start + seconds(300));
  CHECK(recent.connections == 60);
  CHECK(recent.logins == 120);
  CHECK(recent.failed_logins == 1);
  CHECK(recent.commands == 0);
}

TEST_CASE("after a quiet minute nothing is recent") {
  const auto start = std::chrono::steady_clock::now();
  RecentRates rates;
  rates.sample({10, 10, 10, 10, 10}, start);
  CHECK(rates.within_window({10, 10, 10, 10, 10}, start + seconds(61)).connections == 0);
}
