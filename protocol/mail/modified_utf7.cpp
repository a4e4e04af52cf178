// Modified UTF-7, RFC 3501 §5.1.3 (RFC 9051 Appendix A.1). Declared in mailbox_name.h.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/mail/mailbox_name.h"
#include "protocol/text/utf8.h"

namespace postkeep {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool is_direct(char32_t c) { return c >= 0x20 && c <= 0x7E; }

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
      text::append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
    } else if (unit >= 0xD800 && unit <= 0xDBFF) {
      high = unit;
    } else if (is_direct(unit)) {
      return false;  // must stand for itself
    } else {
      text::append_utf8(out, unit);
    }
  }
  return high == 0 && bit_count < 6 && bits == 0;
}

}  // namespace

std::string encode_modified_utf7(std::string_view utf8) {
  std::string out;
  std::optional<ShiftWriter> shift;
  while (!utf8.empty()) {
    const text::CodePoint next = text::first_code_point(utf8);
    utf8.remove_prefix(next.length);
    const char32_t c = next.value;
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
