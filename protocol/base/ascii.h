// ASCII byte classes, named after the productions of RFC 9051 §9 and RFC 5322 §2.2, and case without
// locale. Used by every parser; tests check each table against all 256 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace postkeep::ascii {

namespace detail {

enum Class : std::uint16_t {
  ctl = 1,            // %x00-1F / %x7F
  alpha = 2,          //
  digit = 4,          //
  atom_char = 8,      // any CHAR except atom-specials
  astring_char = 16,  // ATOM-CHAR / "]"
  list_char = 32,     // ATOM-CHAR / "%" / "*" / "]"
  tag_char = 64,      // ASTRING-CHAR except "+"
  text_char = 128,    // any CHAR (%x01-7F) except CR and LF
  quoted_char = 256,  // TEXT-CHAR except DQUOTE and "\"
  base64_char = 512,  // ALPHA / DIGIT / "+" / "/"
  field_char = 1024,  // ftext: %d33-57 / %d59-126 (RFC 5322 §3.6.8)
  label_char = 2048,  // tagged-label-char: ALPHA / "-" / "_" / "." / DIGIT / ":"
};

constexpr bool one_of(unsigned c, std::string_view set) {
  return set.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr std::uint16_t classes_of(unsigned c) {
  unsigned bits = 0;
  const bool is_char = c >= 0x01 && c <= 0x7F;
  const bool is_ctl = c <= 0x1F || c == 0x7F;
  const bool is_alpha = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  const bool is_digit = c >= '0' && c <= '9';
  // atom-specials: "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]"; "}" is none.
  const bool atom = is_char && !is_ctl && !one_of(c, "(){ %*\"\\]");
  const bool text = is_char && c != '\r' && c != '\n';
  if (is_ctl) bits |= ctl;
  if (is_alpha) bits |= alpha;
  if (is_digit) bits |= digit;
  if (atom) bits |= atom_char;
  if (atom || c == ']') bits |= astring_char;
  if (atom || c == ']' || c == '%' || c == '*') bits |= list_char;
  if ((atom || c == ']') && c != '+') bits |= tag_char;
  if (text) bits |= text_char;
  if (text && c != '"' && c != '\\') bits |= quoted_char;
  if (is_alpha || is_digit || c == '+' || c == '/') bits |= base64_char;
  if (c >= 33 && c <= 126 && c != ':') bits |= field_char;
  if (is_alpha || is_digit || one_of(c, "-_.:")) bits |= label_char;
  return static_cast<std::uint16_t>(bits);
}

constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = classes_of(c);
  return table;
}

inline constexpr std::array<std::uint16_t, 256> table = make_table();

constexpr bool is(char c, Class wanted) { return (table[static_cast<unsigned char>(c)] & wanted) != 0; }

}  // namespace detail

constexpr bool is_ctl(char c) { return detail::is(c, detail::ctl); }
constexpr bool is_alpha(char c) { return detail::is(c, detail::alpha); }
constexpr bool is_digit(char c) { return detail::is(c, detail::digit); }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_atom_char(char c) { return detail::is(c, detail::atom_char); }
constexpr bool is_astring_char(char c) { return detail::is(c, detail::astring_char); }
constexpr bool is_list_char(char c) { return detail::is(c, detail::list_char); }
constexpr bool is_tag_char(char c) { return detail::is(c, detail::tag_char); }
constexpr bool is_text_char(char c) { return detail::is(c, detail::text_char); }
constexpr bool is_quoted_char(char c) { return detail::is(c, detail::quoted_char); }
constexpr bool is_base64_char(char c) { return detail::is(c, detail::base64_char); }
constexpr bool is_field_char(char c) { return detail::is(c, detail::field_char); }
constexpr bool is_label_char(char c) { return detail::is(c, detail::label_char); }
constexpr bool is_wsp(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_eight_bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Every byte of a text that is not empty is of the class: `ascii::all(tag, ascii::is_tag_char)`.
template <class Predicate>
constexpr bool all(std::string_view text, Predicate&& predicate) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!predicate(c)) return false;
  }
  return true;
}

// Case of ASCII letters only; other bytes are left alone.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

// The value of a hexadecimal digit in either case, -1 for anything else; and the other way round.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
inline constexpr std::string_view upper_hex_digits = "0123456789ABCDEF";

inline std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

inline std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_upper(c);
  return out;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

constexpr bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

// A total order without regard to ASCII case.
constexpr bool iless(std::string_view a, std::string_view b) {
  const std::size_t n = a.size() < b.size() ? a.size() : b.size();
  for (std::size_t i = 0; i < n; ++i) {
    const auto x = static_cast<unsigned char>(to_lower(a[i]));
    const auto y = static_cast<unsigned char>(to_lower(b[i]));
    if (x != y) return x < y;
  }
  return a.size() < b.size();
}

}  // namespace postkeep::ascii
