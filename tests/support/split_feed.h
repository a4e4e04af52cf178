// Feeds the same bytes in every way in which a network may deliver them: whole, byte by byte, and cut in two
// at every place. What comes out must be the same each time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postkeep::test {

struct Split {
  std::string name;  // for INFO(): "whole", "bytewise", "cut at 17"
  std::vector<std::string_view> pieces;
};

inline std::vector<Split> every_split(std::string_view bytes) {
  std::vector<Split> splits;
  splits.push_back(Split{"whole", {bytes}});
  Split bytewise{"bytewise", {}};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytewise.pieces.push_back(bytes.substr(i, 1));
  splits.push_back(bytewise);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    splits.push_back(Split{"cut at " + std::to_string(cut), {bytes.substr(0, cut), bytes.substr(cut)}});
  }
  return splits;
}

}  // namespace postkeep::test
