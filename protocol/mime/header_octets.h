// HeaderOctets: has a message's header octets beyond ASCII? RFC 9755 §4 asks it of APPEND, RFC 6856 §2.1 of RETR.
// Streams: holds one octet of state, whatever the cuts, and looks at the header of the message itself, not at those of
// its parts.
#pragma once

#include <string_view>

namespace postkeep::mime {

class HeaderOctets {
 public:
  // The message's octets, in order; what comes behind the header's end (an empty line, by CRLF or LF) is not looked at.
  void feed(std::string_view bytes);
  bool has_eight_bit() const { return eight_bit_; }
  // Nothing that follows changes it.
  bool is_decided() const { return eight_bit_ || place_ == Place::behind; }

 private:
  enum class Place { line_start, line_start_cr, in_line, behind };

  Place after(char c) const;

  Place place_ = Place::line_start;
  bool eight_bit_ = false;
};

}  // namespace postkeep::mime
