#include "protocol/imap/writer.h"

#include <algorithm>
#include <charconv>

#include "protocol/base/ascii.h"
#include "protocol/base/seeded_fault.h"
#include "protocol/text/utf8.h"

namespace postkeep::imap {
namespace {

// Longer strings go out as literals: some clients read quoted strings into a fixed line buffer.
constexpr std::size_t quoted_bytes_max = 1'000;

bool can_be_quoted(std::string_view bytes, Utf8 utf8) {
  if (bytes.size() > quoted_bytes_max) return false;
  const auto quotable = [](char c) { return ascii::is_text_char(c) || ascii::is_eight_bit(c); };
  if (!std::all_of(bytes.begin(), bytes.end(), quotable)) return false;
  return text::is_ascii(bytes) || ((utf8 == Utf8::yes || seeded(Fault::utf8_at_once)) && text::is_valid_utf8(bytes));
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
