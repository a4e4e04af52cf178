#include "protocol/text/utf8.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <cstdint>
#include <cstring>

namespace postkeep::text {
namespace {

constexpr char32_t replacement = 0xFFFD;

constexpr unsigned char octet(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

// What a lead octet promises: how many octets follow, and the range of the first of them, which is
// where overlong forms, surrogates and values above U+10FFFF are kept out (Unicode table 3-7).
struct Lead {
  int following = -1;  // -1: no lead octet
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
};

constexpr Lead lead_of(unsigned char c) {
  if (c < 0x80) return {0, 0x80, 0xBF};
  if (c < 0xC2) return {};
  if (c < 0xE0) return {1, 0x80, 0xBF};
  if (c == 0xE0) return {2, 0xA0, 0xBF};
  if (c == 0xED) return {2, 0x80, 0x9F};
  if (c < 0xF0) return {2, 0x80, 0xBF};
  if (c == 0xF0) return {3, 0x90, 0xBF};
  if (c < 0xF4) return {3, 0x80, 0xBF};
  if (c == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

}  // namespace

CodePoint first_code_point(std::string_view bytes) {
  const unsigned char first = octet(bytes, 0);
  const Lead lead = lead_of(first);
  if (lead.following == 0) return {first, 1, CodePoint::State::ok};
  if (lead.following < 0) return {replacement, 1, CodePoint::State::ill_formed};
  constexpr unsigned char payload_mask[] = {0x7F, 0x1F, 0x0F, 0x07};
  char32_t value = first & payload_mask[lead.following];
  for (std::size_t i = 1; i <= static_cast<std::size_t>(lead.following); ++i) {
    if (i >= bytes.size()) return {replacement, i, CodePoint::State::cut};
    const unsigned char c = octet(bytes, i);
    const unsigned char min = i == 1 ? lead.second_min : 0x80;
    const unsigned char max = i == 1 ? lead.second_max : 0xBF;
    if (c < min || c > max) return {replacement, i, CodePoint::State::ill_formed};
    value = (value << 6) | (c & 0x3F);
  }
  return {value, static_cast<std::size_t>(lead.following) + 1, CodePoint::State::ok};
}

void append_utf8(std::string& out, char32_t value) {
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) value = replacement;
  if (value < 0x80) {
    out += static_cast<char>(value);
    return;
  }
  if (value < 0x800) {
    out += static_cast<char>(0xC0 | (value >> 6));
  } else {
    if (value < 0x10000) {
      out += static_cast<char>(0xE0 | (value >> 12));
    } else {
      out += static_cast<char>(0xF0 | (value >> 18));
      out += static_cast<char>(0x80 | ((value >> 12) & 0x3F));
    }
    out += static_cast<char>(0x80 | ((value >> 6) & 0x3F));
  }
  out += static_cast<char>(0x80 | (value & 0x3F));
}

std::size_t ascii_prefix(std::string_view bytes) {
  // 32 at a time, or eight, where possible: most mail is ASCII.
  constexpr std::uint64_t high_bits = 0x8080808080808080ULL;
  std::size_t i = 0;
  for (std::uint64_t words[4]; i + sizeof words <= bytes.size(); i += sizeof words) {
    std::memcpy(words, bytes.data() + i, sizeof words);
    if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0) break;
  }
  for (; i + sizeof(std::uint64_t) <= bytes.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  while (i < bytes.size() && octet(bytes, i) < 0x80) ++i;
  return i;
}

bool is_ascii(std::string_view bytes) { return ascii_prefix(bytes) == bytes.size(); }

bool is_valid_utf8(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty()) return true;
    const CodePoint point = first_code_point(bytes);
    if (point.state != CodePoint::State::ok) return false;
    bytes.remove_prefix(point.length);
  }
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (true) {
    const std::size_t ascii = ascii_prefix(bytes);
    out.append(bytes.substr(0, ascii));
    bytes.remove_prefix(ascii);
    if (bytes.empty()) return out;
    const CodePoint point = first_code_point(bytes);
    if (point.state == CodePoint::State::ok) {
      out.append(bytes.substr(0, point.length));
    } else {
      append_utf8(out, replacement);
    }
    bytes.remove_prefix(point.length);
  }
}

std::string to_nfc(std::string_view utf8) {
  if (is_ascii(utf8)) return std::string(utf8);
  std::string sound = repair_utf8(utf8);
  std::u16string wide;
  for (std::string_view rest = sound; !rest.empty();) {
    const CodePoint point = first_code_point(rest);
    rest.remove_prefix(point.length);
    if (point.value < 0x10000) {
      wide += static_cast<char16_t>(point.value);
    } else {
      wide += static_cast<char16_t>(0xD7C0 + (point.value >> 10));
      wide += static_cast<char16_t>(0xDC00 + (point.value & 0x3FF));
    }
  }
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfc = unorm2_getNFCInstance(&status);
  const auto length = static_cast<std::int32_t>(wide.size());
  if (U_FAILURE(status) || unorm2_isNormalized(nfc, wide.data(), length, &status)) return sound;
  // NFC grows a string to at most three times its UTF-16 length (Unicode UAX #15, table 8).
  std::u16string normal(wide.size() * 3 + 1, u'\0');
  const std::int32_t used =
      unorm2_normalize(nfc, wide.data(), length, normal.data(), static_cast<std::int32_t>(normal.size()), &status);
  if (U_FAILURE(status)) return sound;
  std::string out;
  for (std::int32_t i = 0; i < used;) {
    UChar32 c = 0;
    U16_NEXT(normal.data(), i, used, c);
    append_utf8(out, static_cast<char32_t>(c));
  }
  return out;
}

std::string_view cut_utf8(std::string_view utf8, std::size_t octets_max) {
  if (utf8.size() <= octets_max) return utf8;
  std::size_t end = octets_max;
  while (end > 0 && (octet(utf8, end) & 0xC0) == 0x80) --end;
  return utf8.substr(0, end);
}

}  // namespace postkeep::text
