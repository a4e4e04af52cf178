// LineEndConverter: completes line ends on the way into storage: each bare LF becomes CRLF; a bare CR and NUL are kept
// (docs/on-disk-format.md, line ends). Called by APPEND. Streams: holds one octet of state, whatever the cuts.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::line {

class LineEndConverter {
 public:
  // Appends to `out`.
  void feed(std::string_view bytes, std::string& out);

 private:
  bool after_cr_ = false;
};

}  // namespace postkeep::line
