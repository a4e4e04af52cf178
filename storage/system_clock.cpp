// The clock of the machine, for production.
#include <chrono>

#include "storage/account_store.h"

namespace postkeep::storage {

namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::sys_time<std::chrono::microseconds> now() override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace postkeep::storage
