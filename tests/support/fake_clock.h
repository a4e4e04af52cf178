// FakeClock: time stands still until the test moves it.
#pragma once

#include <chrono>

#include "storage/account_store.h"

namespace postkeep::test {

class FakeClock final : public storage::Clock {
 public:
  // 2026-03-01T12:00:00Z
  static constexpr std::int64_t start_seconds = 1'772'366'400;

  std::chrono::sys_time<std::chrono::microseconds> now() override { return now_; }
  void advance(std::chrono::microseconds by) { now_ += by; }
  UnixTime seconds() const {
    return UnixTime{std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count()};
  }

 private:
  std::chrono::sys_time<std::chrono::microseconds> now_{std::chrono::seconds(start_seconds)};
};

}  // namespace postkeep::test
