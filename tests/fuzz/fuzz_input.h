// What the fuzz harnesses share: input as text, a check that stops the run, and bytes in two ways of cutting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace postkeep::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A property that must hold for every input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Feeds `bytes` in pieces whose sizes the input itself decides.
template <class Feed>
void feed_in_pieces(std::string_view bytes, Feed&& feed) {
  std::size_t seed = bytes.size();
  while (!bytes.empty()) {
    seed = seed * 31 + static_cast<unsigned char>(bytes.front()) + 7;
    const std::string_view piece = bytes.substr(0, 1 + seed % 13);
    feed(piece);
    bytes.remove_prefix(piece.size());
  }
}

}  // namespace postkeep::fuzz
