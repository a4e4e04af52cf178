// Encoded words: "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" to text. RFC 2047, RFC 2231 §5. For search, preview and base
// subjects only: what is served to clients stays encoded. Never fails.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::mime {

// The value of a header field as UTF-8: unfolded, encoded words decoded (a character split over adjacent words
// is put together), white space between adjacent words dropped, words of unknown charset or broken coding left
// as they are, raw 8-bit octets guessed. Words are also read where the standard forbids them (in quoted strings,
// without white space around), since senders put them there and everybody displays them.
std::string decode_header_text(std::string_view raw_value);

// The same for those who sort by it (RFC 5255 §4.6).
struct HeaderText {
  std::string text;
  // No: a word is of an unknown charset, or octets that are not valid in theirs became U+FFFD.
  bool is_sound = true;
};
HeaderText decode_header(std::string_view raw_value);

}  // namespace postkeep::mime
