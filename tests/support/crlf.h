// Messages are written with "\n" in tests.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::test {

// With CRLF for each LF.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace postkeep::test
