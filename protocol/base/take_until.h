// The one step of reading a text with separators.
#pragma once

#include <algorithm>
#include <string_view>

namespace postkeep {

// Cuts `text` behind the first `separator`; what stands before it is returned, or the rest if there is none.
inline std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view taken = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), taken.size() + 1));
  return taken;
}

}  // namespace postkeep
