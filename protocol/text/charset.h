// Character sets of mail to UTF-8, through ICU. RFC 2045 §5, RFC 2978 (names); RFC 9051 §6.4.4 (SEARCH CHARSET).
// Called by mime/encoded_words, mime/search_text and SEARCH. Broken bytes never fail: they become U+FFFD.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::text {

// Converts a stream of bytes in one charset to UTF-8, remembering half characters and shift states
// between calls. What it appends is always well-formed and never cuts a code point. Memory is constant.
// Not for several threads at once; movable.
class CharsetConverter {
 public:
  // `charset` is a MIME charset name in any case; names commonly misused in mail mean what their senders
  // meant (ISO-8859-1 is read as windows-1252, GB2312 as GB18030, KS_C_5601 as windows-949 ...).
  // Error: bad_charset if nobody knows the name.
  static Result<CharsetConverter> open(std::string_view charset);
  // For text of which nobody said the charset, or said nonsense: UTF-8 where it is well-formed, each other
  // octet as windows-1252. Cannot fail.
  static CharsetConverter guess();

  CharsetConverter(CharsetConverter&&) noexcept;
  CharsetConverter& operator=(CharsetConverter&&) noexcept;
  ~CharsetConverter();

  void feed(std::string_view bytes, std::string& out);
  // The end of the text: a half character that is left becomes U+FFFD. The converter starts anew.
  void finish(std::string& out);

 private:
  class Engine;
  class Utf8Engine;
  class IcuEngine;
  explicit CharsetConverter(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

// All of `bytes` at once. Error: bad_charset if the name is unknown.
Result<std::string> to_utf8(std::string_view charset, std::string_view bytes);

// As to_utf8, but an unknown charset is guessed: for mail, where something must be shown.
std::string to_utf8_leniently(std::string_view charset, std::string_view bytes);

// Whether a text that has but octets below 0x80 means ASCII, where `charset` names its charset and the unknown is
// guessed. False for some of which it would be true.
bool leaves_ascii(std::string_view charset);

// Whether open() would succeed.
bool is_known_charset(std::string_view charset);

}  // namespace postkeep::text
