// Secret: a password or token that cannot be printed by accident and wipes itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace postkeep {

// A value that owns its bytes. There is no conversion to string and no operator<<; whoever needs the
// bytes says reveal(), which is easy to find in review.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  // A copy, so that what is wiped is all there was: moving a short string leaves its octets behind.
  // NOLINTNEXTLINE(performance-move-constructor-init)
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  // volatile, so that the compiler may not leave out stores to memory that is about to die.
  void wipe() {
    volatile char* p = bytes_.data();
    for (std::size_t i = 0; i < bytes_.size(); ++i) p[i] = 0;
    bytes_.clear();
  }
  std::string bytes_;
};

}  // namespace postkeep
