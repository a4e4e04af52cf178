#include "protocol/text/casemap.h"

#include <doctest/doctest.h>

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
