// Octets as lower-case hexadecimal digits, two each: of digests, ids and cookies. For digits in capitals and the way
// back see ascii.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postkeep {

inline std::string to_hex(std::span<const std::uint8_t> octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * octets.size());
  for (const std::uint8_t octet : octets) (text += digits[octet >> 4]) += digits[octet & 15];
  return text;
}

}  // namespace postkeep
