#include "protocol/pop3/top.h"

namespace postkeep::pop3 {

std::string_view TopCutter::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done()) {
    const std::size_t lf = bytes.find('\n', used);
    const bool complete = lf != std::string_view::npos;
    const std::string_view piece = bytes.substr(used, complete ? lf - used : std::string_view::npos);
    used += piece.size() + (complete ? 1 : 0);
    if (in_body_) {
      if (complete) --lines_left_;
      continue;
    }
    if (!piece.empty()) line_ = line_ == Line::empty && piece == "\r" ? Line::cr : Line::text;
    if (!complete) continue;
    if (line_ != Line::text) in_body_ = true;
    line_ = Line::empty;
  }
  return bytes.substr(0, used);
}

}  // namespace postkeep::pop3
