#include "protocol/text/utf8.h"

#include <doctest/doctest.h>

using namespace postkeep::text;
using namespace std::string_literals;

TEST_CASE("well-formed UTF-8 is told from every kind of ill-formed") {
  for (const auto& good : {""s, "abc"s, "\0"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
                           "\xEE\x80\x80"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s, "12345678\xC3\xA4"s}) {
    CHECK_MESSAGE(is_valid_utf8(good), good);
  }
  for (const auto& bad : {"\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s, "\xF0\x8F\xBF\xBF"s,
                          "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s, "\xC3"s, "\xE2\x82"s, "12345678\xE4 "s}) {
    CHECK_MESSAGE(!is_valid_utf8(bad), bad);
  }
}

TEST_CASE("every scalar value survives encoding and decoding, and no surrogate does") {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    std::string out;
    append_utf8(out, value);
    const CodePoint back = first_code_point(out);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    REQUIRE(back.state == CodePoint::State::ok);
    REQUIRE(back.length == out.size());
    REQUIRE(back.value == (surrogate ? U'\xFFFD' : value));
  }
}

TEST_CASE("repair replaces each maximal ill-formed subpart once") {
  CHECK(repair_utf8("a\xE4z") == "a\xEF\xBF\xBDz");
  CHECK(repair_utf8("\xF0\x90\x80") == "\xEF\xBF\xBD");  // cut: one
  CHECK(repair_utf8("\xE2\x82"
                    "a") ==
        "\xEF\xBF\xBD"
        "a");  // two octets, one subpart
  CHECK(repair_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(repair_utf8("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
}

TEST_CASE("NFC composes what was decomposed and leaves the rest alone") {
  CHECK(to_nfc("plain") == "plain");
  CHECK(to_nfc("u\xCC\x88") == "\xC3\xBC");
  CHECK(to_nfc("\xC3\xBC") == "\xC3\xBC");
  CHECK(to_nfc("\xE2\x84\xAB") == "\xC3\x85");  // ANGSTROM SIGN
  CHECK(to_nfc("\xF0\x9F\x98\x80 u\xCC\x88") == "\xF0\x9F\x98\x80 \xC3\xBC");
  CHECK(to_nfc("\xFF") == "\xEF\xBF\xBD");
}

TEST_CASE("cutting never splits a code point") {
  CHECK(cut_utf8("\xC3\xBC\xC3\xBC", 3) == "\xC3\xBC");
  CHECK(cut_utf8("\xF0\x9F\x98\x80", 3).empty());
  CHECK(cut_utf8("abc", 3) == "abc");
}
