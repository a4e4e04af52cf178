#include "protocol/imap/writer.h"

#include <doctest/doctest.h>

using namespace postkeep::imap;

namespace {

std::string string_of(std::string_view bytes, Utf8 utf8 = Utf8::no) {
  std::string out;
  Writer(out, utf8).string(bytes);
  return out;
}

std::string astring_of(std::string_view bytes) {
  std::string out;
  Writer(out).astring(bytes);
  return out;
}

}  // namespace

TEST_CASE("strings are quoted where every octet may be, and literals elsewhere") {
  CHECK(string_of("") == "\"\"");
  CHECK(string_of("plain (text) {1}") == "\"plain (text) {1}\"");
  CHECK(string_of("q\"b\\") == "\"q\\\"b\\\\\"");
  CHECK(string_of("tab\t") == "\"tab\t\"");
  CHECK(string_of("line\r\nline") == "{10}\r\nline\r\nline");
  CHECK(string_of("\r") == "{1}\r\n\r");
  CHECK(string_of("\n") == "{1}\r\n\n");
  CHECK(string_of(std::string(1000, 'a')) == '"' + std::string(1000, 'a') + '"');
  CHECK(string_of(std::string(1001, 'a')) == "{1001}\r\n" + std::string(1001, 'a'));
}

TEST_CASE("raw UTF-8 is quoted only where the session allows it, and only if it is UTF-8") {
  CHECK(string_of("\xC3\xBC") == "{2}\r\n\xC3\xBC");
  CHECK(string_of("\xC3\xBC", Utf8::yes) == "\"\xC3\xBC\"");
  CHECK(string_of("\xFF", Utf8::yes) == "{1}\r\n\xFF");
}

TEST_CASE("NUL, which no literal can carry, goes out as 0x80") {
  CHECK(string_of(std::string("a\0b", 3)) ==
        "{3}\r\na\x80"
        "b");
}

TEST_CASE("every octet is written in a way that can be read back") {
  for (int b = 1; b < 256; ++b) {
    const std::string one(1, static_cast<char>(b));
    CAPTURE(b);
    const std::string out = string_of(one);
    const bool quoted = out == '"' + one + '"' || out == "\"\\" + one + '"';
    const bool literal = out == "{1}\r\n" + one;
    CHECK((quoted || literal));
    CHECK(literal == (b == '\r' || b == '\n' || b >= 0x80));
  }
}

TEST_CASE("astrings are atoms where they can be") {
  CHECK(astring_of("INBOX") == "INBOX");
  CHECK(astring_of("a]b/c") == "a]b/c");
  CHECK(astring_of("two words") == "\"two words\"");
  CHECK(astring_of("") == "\"\"");
  CHECK(astring_of("nil") == "\"nil\"");
  CHECK(astring_of("100%") == "\"100%\"");
}

TEST_CASE("a missing string is NIL and numbers are whole") {
  std::string out;
  Writer(out).nstring(std::nullopt).sp().nstring("x").sp().number(0).sp().number(18446744073709551615ULL).crlf();
  CHECK(out == "NIL \"x\" 0 18446744073709551615\r\n");
}
