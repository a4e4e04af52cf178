// Writer: IMAP data to bytes. RFC 9051 §4, §9. Appends to a buffer that its owner flushes as it grows;
// decides between quoted string and literal, never between answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postkeep::imap {

// Raw UTF-8 in quoted strings is for sessions that enabled IMAP4rev2 or UTF8=ACCEPT only (RFC 9755 §3).
enum class Utf8 { no, yes };

// Not owning: `out` outlives the writer. All functions append.
class Writer {
 public:
  explicit Writer(std::string& out, Utf8 utf8 = Utf8::no) : out_(out), utf8_(utf8) {}

  Writer& raw(std::string_view bytes) {
    out_.append(bytes);
    return *this;
  }  // already valid syntax
  Writer& sp() {
    out_ += ' ';
    return *this;
  }
  Writer& open() {
    out_ += '(';
    return *this;
  }
  Writer& close() {
    out_ += ')';
    return *this;
  }
  Writer& crlf() {
    out_.append("\r\n");
    return *this;
  }
  Writer& number(std::uint64_t value);
  Writer& nil() {
    out_.append("NIL");
    return *this;
  }

  // `string`: quoted if every octet may be quoted here, else a literal. NUL, which no literal can carry,
  // becomes 0x80 (see docs/on-disk-format.md, line ends).
  Writer& string(std::string_view bytes);
  Writer& nstring(const std::optional<std::string>& bytes);
  // `astring`: an atom where that is possible, else as string().
  Writer& astring(std::string_view bytes);

  Utf8 utf8() const { return utf8_; }

 private:
  std::string& out_;
  Utf8 utf8_;
};

}  // namespace postkeep::imap
