#include "protocol/imap/writer.h"

#include <algorithm>
#include <charconv>

#include "protocol/base/ascii.h"

namespace postkeep::imap {
namespace {

// Longer strings go out as literals: some clients read quoted strings into a fixed line buffer.
constexpr std::size_t quoted_bytes_max = 1'000;

// The length of the UTF-8 sequence at the front of `text`, 0 if there is none (RFC 3629 §4).
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&byte](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  const unsigned lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second = lead == 0xE0   ? byte(1) >= 0xA0 && byte(1) <= 0xBF
                        : lead == 0xED ? byte(1) >= 0x80 && byte(1) <= 0x9F
                                       : tail(1);
    return second && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool second = lead == 0xF0   ? byte(1) >= 0x90 && byte(1) <= 0xBF
                        : lead == 0xF4 ? byte(1) >= 0x80 && byte(1) <= 0x8F
                                       : tail(1);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool can_be_quoted(std::string_view bytes, Utf8 utf8) {
  if (bytes.size() > quoted_bytes_max) return false;
  while (!bytes.empty()) {
    if (ascii::is_text_char(bytes.front())) {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t length = utf8 == Utf8::yes ? utf8_sequence(bytes) : 0;
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace

Writer& Writer::number(std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out_.append(digits, end);
  return *this;
}

Writer& Writer::string(std::string_view bytes) {
  if (can_be_quoted(bytes, utf8_)) {
    out_ += '"';
    for (const char c : bytes) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
    return *this;
  }
  out_ += '{';
  number(bytes.size());
  out_ += "}\r\n";
  const std::size_t start = out_.size();
  out_.append(bytes);
  std::replace(out_.begin() + static_cast<std::ptrdiff_t>(start), out_.end(), '\0', '\x80');
  return *this;
}

Writer& Writer::nstring(const std::optional<std::string>& bytes) { return bytes ? string(*bytes) : nil(); }

Writer& Writer::astring(std::string_view bytes) {
  // NIL as an atom would be read as nil by clients that take a string or nil here.
  if (ascii::all(bytes, ascii::is_astring_char) && !ascii::iequals(bytes, "NIL")) {
    out_.append(bytes);
    return *this;
  }
  return string(bytes);
}

}  // namespace postkeep::imap
