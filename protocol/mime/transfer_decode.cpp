#include "protocol/mime/transfer_decode.h"

#include <array>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::mime {
namespace {

constexpr std::size_t held_blanks_max = 1000;   // quoted-printable: blanks that may turn out to end a line
constexpr std::size_t uuencode_line_max = 200;  // a full line has 61 octets

constexpr int not_base64 = -1;

constexpr int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return not_base64;
}

constexpr std::array<std::int16_t, 256> make_base64_table() {
  std::array<std::int16_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[static_cast<std::size_t>(c)] = static_cast<std::int16_t>(base64_value(static_cast<char>(c)));
  }
  return table;
}
constexpr auto base64_table = make_base64_table();

constexpr std::array<bool, 256> make_quoted_printable_stops() {
  std::array<bool, 256> stops{};
  for (const char c : {'=', '\r', '\n'}) stops[static_cast<unsigned char>(c)] = true;
  return stops;
}
constexpr auto quoted_printable_stops = make_quoted_printable_stops();

// The octets at the start that are text whatever follows: no escape, no line end, and no blanks that may stand before
// one.
std::size_t plain_octets(std::string_view bytes) {
  std::size_t end = 0;
  while (end < bytes.size() && !quoted_printable_stops[static_cast<unsigned char>(bytes[end])]) ++end;
  while (end > 0 && ascii::is_wsp(bytes[end - 1])) --end;
  return end;
}

}  // namespace

TransferEncoding parse_transfer_encoding(std::string_view name) {
  std::string word;
  for (const char c : name) {
    if (c == '(' || c == ';') break;
    if (ascii::is_wsp(c) || c == '\r' || c == '\n' || c == '"') {
      if (word.empty()) continue;
      break;
    }
    word += ascii::to_lower(c);
  }
  if (word.empty() || word == "7bit" || word == "8bit" || word == "binary") return TransferEncoding::identity;
  if (word == "base64") return TransferEncoding::base64;
  if (word == "quoted-printable") return TransferEncoding::quoted_printable;
  if (word == "x-uuencode" || word == "x-uue" || word == "uuencode" || word == "uue") return TransferEncoding::uuencode;
  return TransferEncoding::unknown;
}

void TransferDecoder::feed(std::string_view bytes, std::string& out) {
  switch (encoding_) {
    case TransferEncoding::identity:
    case TransferEncoding::unknown:
      out.append(bytes);
      break;
    case TransferEncoding::base64:
      feed_base64(bytes, out);
      break;
    case TransferEncoding::quoted_printable:
      feed_quoted_printable(bytes, out);
      break;
    case TransferEncoding::uuencode:
      feed_uuencode(bytes, out);
      break;
  }
}

void TransferDecoder::feed_base64(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const int value = base64_table[static_cast<unsigned char>(c)];
    if (value >= 0) {
      bits_ = (bits_ << 6) | static_cast<std::uint32_t>(value);
      if (++sextets_ == 4) {
        out += static_cast<char>(bits_ >> 16);
        out += static_cast<char>(bits_ >> 8);
        out += static_cast<char>(bits_);
        bits_ = 0;
        sextets_ = 0;
      }
    } else if (c == '=') {
      flush_base64(out);
    } else if (!ascii::is_wsp(c) && c != '\r' && c != '\n') {
      broken_ = true;
    }
  }
}

void TransferDecoder::flush_base64(std::string& out) {
  if (sextets_ == 1) broken_ = true;
  if (sextets_ == 2) out += static_cast<char>(bits_ >> 4);
  if (sextets_ == 3) {
    out += static_cast<char>(bits_ >> 10);
    out += static_cast<char>(bits_ >> 2);
  }
  bits_ = 0;
  sextets_ = 0;
}

void TransferDecoder::feed_quoted_printable(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (held_.empty()) {
      const std::size_t plain = plain_octets(bytes);
      out.append(bytes.substr(0, plain));
      bytes.remove_prefix(plain);
      if (bytes.empty()) return;
    }
    while (!hold_quoted_printable(bytes.front(), out)) {
    }
    bytes.remove_prefix(1);
  }
}

// One step of quoted-printable. `held_` is what cannot be judged yet: blanks (deleted if the line ends after them,
// RFC 2045 §6.7 rule 3), then perhaps CR; or "=", "=X", "=" and blanks, then perhaps CR. False: `held_` was written
// out or dropped and the same octet is to be looked at again.
bool TransferDecoder::hold_quoted_printable(char c, std::string& out) {
  const bool escape = !held_.empty() && held_.front() == '=';
  const bool after_cr = !held_.empty() && held_.back() == '\r';
  if (c == '\n') {
    if (escape && held_.size() == 2 && ascii::hex_value(held_[1]) >= 0) {
      out.append(std::exchange(held_, {}));
      broken_ = true;
    }
    if (!escape) out.append(after_cr ? "\r\n" : "\n");
    held_.clear();
    return true;
  }
  if (escape && held_.size() == 1 && ascii::hex_value(c) >= 0) {
    held_ += c;
    return true;
  }
  if (escape && held_.size() == 2 && ascii::hex_value(held_[1]) >= 0 && ascii::hex_value(c) >= 0) {
    out += static_cast<char>(ascii::hex_value(held_[1]) * 16 + ascii::hex_value(c));
    held_.clear();
    return true;
  }
  const bool half_escape = escape && held_.size() == 2 && ascii::hex_value(held_[1]) >= 0;
  const bool may_hold = !after_cr && !half_escape && held_.size() < held_blanks_max;
  if (may_hold && (ascii::is_wsp(c) || c == '\r')) {
    held_ += c;
    return true;
  }
  if (!held_.empty()) {
    broken_ = broken_ || escape || after_cr;
    out.append(std::exchange(held_, {}));
    return false;
  }
  if (c == '=') {
    held_ = "=";
  } else {
    out += c;
  }
  return true;
}

void TransferDecoder::feed_uuencode(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    if (c == '\n') {
      uuencode_line(out);
      held_.clear();
    } else if (held_.size() < uuencode_line_max) {
      held_ += c;
    }
  }
}

void TransferDecoder::uuencode_line(std::string& out) {
  if (!held_.empty() && held_.back() == '\r') held_.pop_back();
  if (!in_uuencode_) {
    in_uuencode_ = held_.starts_with("begin ");
    return;
  }
  if (held_ == "end") {
    in_uuencode_ = false;
    return;
  }
  if (held_.empty()) return;
  const auto value = [this](std::size_t i) {
    // Trailing blanks, which stand for zero, are often lost on the way.
    return i < held_.size() ? static_cast<std::uint32_t>(held_[i] - ' ') & 63U : 0U;
  };
  const std::size_t length = value(0);
  for (std::size_t i = 1, written = 0; written < length; i += 4) {
    const std::uint32_t quantum = (value(i) << 18) | (value(i + 1) << 12) | (value(i + 2) << 6) | value(i + 3);
    for (int shift = 16; shift >= 0 && written < length; shift -= 8, ++written) {
      out += static_cast<char>(quantum >> shift);
    }
  }
}

void TransferDecoder::finish(std::string& out) {
  if (encoding_ == TransferEncoding::base64) {
    broken_ = broken_ || sextets_ != 0;
    flush_base64(out);
  } else if (encoding_ == TransferEncoding::quoted_printable) {
    // A soft line break or blanks at the very end say nothing; half an escape is text.
    const bool half_escape = held_.size() == 2 && held_[0] == '=' && ascii::hex_value(held_[1]) >= 0;
    if (half_escape) out.append(held_);
    if (!held_.empty() && held_.front() != '=' && held_.back() == '\r') out += '\r';
    broken_ = broken_ || half_escape;
  } else if (encoding_ == TransferEncoding::uuencode && !held_.empty()) {
    uuencode_line(out);
  }
  held_.clear();
}

std::string decode_body(TransferEncoding encoding, std::string_view body) {
  std::string out;
  TransferDecoder decoder(encoding);
  decoder.feed(body, out);
  decoder.finish(out);
  return out;
}

}  // namespace postkeep::mime
