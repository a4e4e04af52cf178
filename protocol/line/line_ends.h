// LineEndConverter: completes line ends on the way into storage: each bare LF becomes CRLF; a bare CR and NUL are kept
// (docs/on-disk-format.md, line ends). Called by APPEND and by LMTP's BDAT. Streams: holds one octet of state, whatever
// the cuts.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::line {

class LineEndConverter {
 public:
  // Appends to `out`.
  void feed(std::string_view bytes, std::string& out);
  // Whether an LF without CR has come.
  bool saw_bare_lf() const { return bare_lf_; }

 private:
  bool after_cr_ = false;
  bool bare_lf_ = false;
};

}  // namespace postkeep::line
