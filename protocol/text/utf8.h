// UTF-8: is it, make it so, and normalise it. RFC 3629; Unicode §3.9 (what is ill-formed).
// Called wherever bytes of a peer are told to another as text. Never fails; works on values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::text {

// One code point at the start of `bytes` (which must not be empty).
struct CodePoint {
  enum class State {
    ok,
    ill_formed,  // value is U+FFFD; length is the maximal ill-formed subpart, at least 1
    cut,         // a sequence that may still become whole with more bytes; value is U+FFFD, length is what is there
  };
  char32_t value = 0;
  std::size_t length = 0;  // octets used
  State state = State::ok;
};
CodePoint first_code_point(std::string_view bytes);

// Appends a scalar value; surrogates and what lies above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t value);

// True for well-formed UTF-8: no overlong forms, no surrogates. U+0000 is well-formed.
bool is_valid_utf8(std::string_view bytes);
bool is_ascii(std::string_view bytes);             // every octet below 0x80
std::size_t ascii_prefix(std::string_view bytes);  // how many octets at the start are below 0x80

// `bytes` with each maximal ill-formed subpart replaced by U+FFFD.
std::string repair_utf8(std::string_view bytes);

// Unicode normalization form C; ill-formed input is repaired first.
std::string to_nfc(std::string_view utf8);

// The longest prefix of well-formed `utf8` that has at most `octets_max` octets and cuts no code point.
std::string_view cut_utf8(std::string_view utf8, std::size_t octets_max);

}  // namespace postkeep::text
