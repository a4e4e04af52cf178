#include "protocol/text/casemap.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "protocol/text/utf8.h"

using namespace postkeep::text;

TEST_CASE("folding is titlecase, then full decomposition") {
  CHECK(fold("Hello, World 1") == "HELLO, WORLD 1");
  CHECK(fold("ü") == fold("Ü"));
  CHECK(fold("ü") == "U\xCC\x88");
  CHECK(fold("u\xCC\x88") == "U\xCC\x88");
  CHECK(fold("ǆ") == fold("Ǆ"));
  CHECK(fold("привет") == "ПРИВЕТ");
  CHECK(fold("ｆｕｌｌ") == "FULL");  // full-width letters are compatibility variants
  CHECK(fold("ﬁ").size() == 2);       // the ligature is two letters
  CHECK(fold("ß") == "ß");            // has no titlecase of its own in UnicodeData.txt
  CHECK(fold("日本") == "日本");
}

TEST_CASE("folding of a whole is the folding of its parts") {
  const std::string text = "Grüße, ПРИВЕТ ǆ 한국 ﬁn";
  std::string folded;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    CHECK(fold(text.substr(0, i)) + fold(text.substr(i)) == fold(text));
  }
}

TEST_CASE("ill-formed octets are one replacement each and never match letters") {
  CHECK(fold("a\xFFz") == "A\xEF\xBF\xBDZ");
}

TEST_CASE("ASCII letters are folded wherever they stand, and nothing else of ASCII") {
  for (std::size_t place = 0; place < 20; ++place) {
    for (int c = 0; c < 128; ++c) {
      std::string text(20, 'q');
      text[place] = static_cast<char>(c);
      std::string expected(20, 'Q');
      expected[place] = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
      REQUIRE(fold(text) == expected);
    }
  }
}

TEST_CASE("the folded forms of two octets are those of Unicode") {
  // FNV-1a over all of them, as ICU 72 gave them one by one. Another ICU may know code points that were unassigned.
  std::uint64_t hash = 14695981039346656037ULL;
  for (char32_t value = 0x80; value < 0x800; ++value) {
    std::string text;
    append_utf8(text, value);
    for (const char c : fold(text) + "/") hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  CHECK(hash == 17817442233771361356ULL);
}
