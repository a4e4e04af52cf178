#include "protocol/mime/header_octets.h"

#include "protocol/base/ascii.h"

namespace postkeep::mime {

HeaderOctets::Place HeaderOctets::after(char c) const {
  const bool at_start = place_ != Place::in_line;
  if (c == '\n') return at_start ? Place::behind : Place::line_start;
  if (c == '\r' && place_ == Place::line_start) return Place::line_start_cr;
  return Place::in_line;
}

void HeaderOctets::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (is_decided()) return;
    eight_bit_ = ascii::is_eight_bit(c);
    place_ = after(c);
  }
}

}  // namespace postkeep::mime
