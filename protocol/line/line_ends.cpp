// See line_ends.h.
#include "protocol/line/line_ends.h"

namespace postkeep::line {

void LineEndConverter::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const std::size_t lf = bytes.find('\n');
    const std::string_view line = bytes.substr(0, lf);
    out += line;
    if (!line.empty()) after_cr_ = line.back() == '\r';
    if (lf == std::string_view::npos) return;
    if (!after_cr_) {
      bare_lf_ = true;
      out += '\r';
    }
    out += '\n';
    after_cr_ = false;
    bytes.remove_prefix(lf + 1);
  }
}

}  // namespace postkeep::line
