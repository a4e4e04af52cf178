// SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): a short name for a longer text. Who does not know the key
// can neither make two texts with the same name nor choose where a name falls in a table. Pure; never fails.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace postkeep {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  auto operator<=>(const Hash128&) const = default;
};

using SipKey = std::array<std::uint64_t, 2>;

Hash128 sip_hash(const SipKey& key, std::string_view text);

}  // namespace postkeep
