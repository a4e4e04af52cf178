// Ways to cut a byte stream: what an incremental parser makes of it must not depend on them.
#pragma once

#include <string_view>
#include <vector>

namespace postkeep::test {

using Pieces = std::vector<std::string_view>;

// Calls check(pieces) with `bytes` whole, byte by byte, and cut in two at every place.
template <class Check>
void for_each_cut(std::string_view bytes, Check&& check) {
  check(Pieces{bytes});
  Pieces single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  check(single);
  for (std::size_t i = 1; i < bytes.size(); ++i) check(Pieces{bytes.substr(0, i), bytes.substr(i)});
}

// `bytes` in pieces of `size`.
inline Pieces cut_every(std::string_view bytes, std::size_t size) {
  Pieces pieces;
  for (std::size_t i = 0; i < bytes.size(); i += size) pieces.push_back(bytes.substr(i, size));
  return pieces;
}

}  // namespace postkeep::test
