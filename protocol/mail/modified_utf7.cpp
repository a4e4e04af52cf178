// Modified UTF-7, RFC 3501 §5.1.3 (RFC 9051 Appendix A.1). Declared in mailbox_name.h.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/mail/mailbox_name.h"

namespace postkeep {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
constexpr char32_t replacement = 0xFFFD;

bool is_direct(char32_t c) { return c >= 0x20 && c <= 0x7E; }

// The next code point of UTF-8, advancing `text`; U+FFFD for each byte that is part of none.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  std::size_t length = 0;
  char32_t c = 0;
  char32_t smallest = 0;
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  } else if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2, c = lead & 0x1F, smallest = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3, c = lead & 0x0F, smallest = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4, c = lead & 0x07, smallest = 0x10000;
  }
  bool valid = length != 0 && text.size() >= length;
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    c = c << 6 | (byte(i) & 0x3F);
  }
  valid = valid && c >= smallest && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
  text.remove_prefix(valid ? length : 1);
  return valid ? c : replacement;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// Collects UTF-16 units as base64 digits.
class ShiftWriter {
 public:
  explicit ShiftWriter(std::string& out) : out_(out) {}

  void add(char32_t c) {
    if (c >= 0x10000) {
      add_unit(0xD800 + ((c - 0x10000) >> 10));
      add_unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      add_unit(c);
    }
  }

  void finish() {
    if (bit_count_ > 0) out_ += alphabet[bits_ << (6 - bit_count_) & 63];
    out_ += '-';
  }

 private:
  void add_unit(char32_t unit) {
    bits_ = bits_ << 16 | unit;
    bit_count_ += 16;
    while (bit_count_ >= 6) {
      bit_count_ -= 6;
      out_ += alphabet[bits_ >> bit_count_ & 63];
    }
    bits_ &= (1U << bit_count_) - 1;
  }

  std::string& out_;
  std::uint32_t bits_ = 0;
  unsigned bit_count_ = 0;
};

// Appends what the UTF-16 in `digits` (between "&" and "-") says; false if it is not well formed.
bool decode_shift(std::string_view digits, std::string& out) {
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  char32_t high = 0;  // a high surrogate that waits for its other half
  for (const char digit : digits) {
    const std::size_t value = alphabet.find(digit);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count < 16) continue;
    bit_count -= 16;
    const char32_t unit = bits >> bit_count & 0xFFFF;
    bits &= (1U << bit_count) - 1;
    const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
    if ((high != 0) != is_low) return false;
    if (is_low) {
      append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
    } else if (unit >= 0xD800 && unit <= 0xDBFF) {
      high = unit;
    } else if (is_direct(unit)) {
      return false;  // must stand for itself
    } else {
      append_utf8(out, unit);
    }
  }
  return high == 0 && bit_count < 6 && bits == 0;
}

}  // namespace

std::string encode_modified_utf7(std::string_view utf8) {
  std::string out;
  std::optional<ShiftWriter> shift;
  while (!utf8.empty()) {
    const char32_t c = take_code_point(utf8);
    if (!is_direct(c)) {
      if (!shift) {
        out += '&';
        shift.emplace(out);
      }
      shift->add(c);
      continue;
    }
    if (shift) {
      shift->finish();
      shift.reset();
    }
    out += static_cast<char>(c);
    if (c == '&') out += '-';
  }
  if (shift) shift->finish();
  return out;
}

std::optional<std::string> decode_modified_utf7(std::string_view text) {
  std::string out;
  bool after_shift = false;  // "&...-&...-" should have been one shift
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    if (c != '&') {
      if (!is_direct(c)) return std::nullopt;
      out += text.front();
      text.remove_prefix(1);
      after_shift = false;
      continue;
    }
    const std::size_t end = text.find('-');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (digits.empty()) {
      out += '&';
      after_shift = false;
      continue;
    }
    if (after_shift || !decode_shift(digits, out)) return std::nullopt;
    after_shift = true;
  }
  return out;
}

}  // namespace postkeep
