#include "protocol/text/charset.h"

#include <doctest/doctest.h>

#include "protocol/text/utf8.h"

using namespace postkeep;
using namespace postkeep::text;
using namespace std::string_literals;

namespace {
std::string by_octets(std::string_view charset, std::string_view bytes) {
  auto converter = CharsetConverter::open(charset);
  REQUIRE(converter.has_value());
  std::string out;
  for (const char c : bytes) {
    converter->feed(std::string_view(&c, 1), out);
    CHECK(is_valid_utf8(out));
  }
  converter->finish(out);
  return out;
}
}  // namespace

TEST_CASE("the charsets of real mail come out as UTF-8, whole and octet by octet") {
  struct Case {
    const char* charset;
    std::string bytes;
    std::string utf8;
  };
  const Case cases[] = {
      {"us-ascii", "abc", "abc"},
      {"US-ASCII", "gr\xFC\xDF", "grüß"},          // said ASCII, sent Latin-1
      {"us-ascii", "gr\xC3\xBC\xC3\x9F", "grüß"},  // said ASCII, sent UTF-8
      {"UTF-8", "gr\xC3\xBC\xC3\x9F", "grüß"},
      {"uft-8", "gr\xC3\xBC\xC3\x9F", "grüß"},
      {"utf-8", "a\xE4z", "a\xEF\xBF\xBDz"},
      {"ISO-8859-1", "\x93gr\xFC\xDF\x94", "“grüß”"},  // windows-1252 in truth
      {"iso-8859-15", "\xA4", "€"},
      {"windows-1251", "\xCF\xF0\xE8", "При"},
      {"koi8-r", "\xF0\xD2\xC9", "При"},
      {"iso-8859-8-i", "\xF9", "ש"},
      {"iso-2022-jp", "\x1B$B$3$s\x1B(B!", "こん!"},
      {"shift_jis", "\x82\xB1\x82\xF1", "こん"},
      {"cp932", "\x82\xB1\x82\xF1", "こん"},
      {"euc-jp", "\xA4\xB3\xA4\xF3", "こん"},
      {"gb2312", "\xC4\xE3\xBA\xC3", "你好"},
      {"gb18030", "\xC4\xE3\xBA\xC3", "你好"},
      {"big5", "\xA7\x41\xA6\x6E", "你好"},
      {"ks_c_5601-1987", "\xBE\xC8\xB3\xE7", "안녕"},
      {"euc-kr", "\xBE\xC8\xB3\xE7", "안녕"},
      {"utf-16le", "h\0i\0\x3D\xD8\x00\xDE"s, "hi😀"},
      {"utf-16be", "\0h\0i"s, "hi"},
      {"unicode-1-1-utf-7", "Hi +AGE-", "Hi a"},
      {"x-mac-cyrillic", "\x8F", "П"},
      {" Windows-1252 ", "\x80", "€"},
      {"iso-8859-1*de", "\xFC", "ü"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.charset);
    const auto whole = to_utf8(c.charset, c.bytes);
    REQUIRE(whole.has_value());
    CHECK(*whole == c.utf8);
    CHECK(by_octets(c.charset, c.bytes) == c.utf8);
  }
}

TEST_CASE("a charset that nobody knows is bad_charset, and ICU's special names are none") {
  for (const char* name : {"x-unknown", "iso-4444-5", "fakescii", "base64", "none", "", "utf-8,swaplfnl", "../etc",
                           "default_charset", "bad charset"}) {
    CAPTURE(name);
    const auto result = to_utf8(name, "abc");
    REQUIRE(!result.has_value());
    CHECK(result.error().kind == ErrorKind::bad_charset);
    CHECK(!is_known_charset(name));
  }
  CHECK(to_utf8_leniently("x-unknown", "gr\xFC\xDF \xC3\xBC") == "grüß ü");
}

TEST_CASE("half characters at the end are marked and the converter can be used again") {
  auto converter = CharsetConverter::open("utf-16le");
  REQUIRE(converter.has_value());
  std::string out;
  converter->feed("\x3D\xD8", out);
  converter->finish(out);
  CHECK(out == "\xEF\xBF\xBD");
  out.clear();
  converter->feed("a\0"s, out);
  converter->finish(out);
  CHECK(out == "a");
}

TEST_CASE("where a charset leaves ASCII alone, ASCII is what comes out") {
  std::string ascii;
  for (int c = 0; c < 128; ++c) ascii += static_cast<char>(c);
  for (const char* name :
       {"us-ascii",   "UTF-8",       "utf8",        "iso-8859-1",  "ISO-8859-2",   "iso-8859-5",   "iso-8859-7",
        "iso-8859-8", "iso-8859-9",  "iso-8859-13", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252",
        "cp1251",     "koi8-r",      "KOI8-U",

        "",           "iso-8859-99", "utf-8*en",    "a b"}) {
    CAPTURE(name);
    CHECK(leaves_ascii(name));
    CHECK(to_utf8_leniently(name, ascii) == ascii);
  }
  for (int number = 0; number < 100; ++number) {
    for (const char* prefix : {"iso-8859-", "windows-125"}) {
      const std::string name = prefix + std::to_string(number);
      if (leaves_ascii(name)) CHECK(to_utf8_leniently(name, ascii) == ascii);
    }
  }
  for (const char* name : {"utf-7", "utf-16", "utf-16le", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "ibm037", "cp500",
                           "shift_jis", "gb18030", "big5", "utf-32", "scsu"}) {
    CAPTURE(name);
    CHECK_FALSE(leaves_ascii(name));
  }
}
