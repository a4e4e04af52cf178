// What other threads bring about.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace postkeep::test {

// Waits for it, ten seconds at most. False: it never came.
inline bool eventually(const std::function<bool()>& condition) {
  using namespace std::chrono_literals;
  for (int i = 0; i < 5'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(i < 50 ? 20us : 2'000us);
  }
  return false;
}

}  // namespace postkeep::test
