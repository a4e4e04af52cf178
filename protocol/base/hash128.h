// Hash128: the name of a longer text, in 128 bits. What makes it is the caller's business (storage/digest.h).
#pragma once

#include <compare>
#include <cstdint>

namespace postkeep {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  auto operator<=>(const Hash128&) const = default;
};

}  // namespace postkeep
