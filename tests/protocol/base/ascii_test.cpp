#include "protocol/base/ascii.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace postkeep;

namespace {

// The productions written out a second time, as lists of characters, so that a slip in one shows.
const std::string alpha = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const std::string digit = "0123456789";
const std::string atom_marks = "!#$&'+,-./:;<=>?@[^_`|}~";
const std::string printable_marks = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

std::string controls() {
  std::string all(1, '\x7F');
  for (char c = 0; c < 0x20; ++c) all += c;
  return all;
}

void check_all_bytes(bool (*is)(char), const std::string& members) {
  for (int b = 0; b < 256; ++b) {
    const char c = static_cast<char>(b);
    CAPTURE(b);
    CHECK(is(c) == (members.find(c) != std::string::npos));
  }
}

std::string without(std::string from, const std::string& what) {
  std::erase_if(from, [&](char c) { return what.find(c) != std::string::npos; });
  return from;
}

}  // namespace

TEST_CASE("each byte class holds exactly the bytes of its production") {
  const std::string tab_and_such = without(controls(), std::string("\0\r\n", 3));
  check_all_bytes(ascii::is_ctl, controls());
  check_all_bytes(ascii::is_alpha, alpha);
  check_all_bytes(ascii::is_digit, digit);
  check_all_bytes(ascii::is_alnum, alpha + digit);
  check_all_bytes(ascii::is_atom_char, alpha + digit + atom_marks);
  check_all_bytes(ascii::is_astring_char, alpha + digit + atom_marks + "]");
  check_all_bytes(ascii::is_list_char, alpha + digit + atom_marks + "]%*");
  check_all_bytes(ascii::is_tag_char, without(alpha + digit + atom_marks + "]", "+"));
  check_all_bytes(ascii::is_text_char, alpha + digit + printable_marks + tab_and_such);
  check_all_bytes(ascii::is_quoted_char, without(alpha + digit + printable_marks + tab_and_such, "\"\\"));
  check_all_bytes(ascii::is_base64_char, alpha + digit + "+/");
  check_all_bytes(ascii::is_field_char, without(alpha + digit + printable_marks, " :"));
  check_all_bytes(ascii::is_label_char, alpha + digit + "-_.:");
  check_all_bytes(ascii::is_wsp, " \t");
}

TEST_CASE("case changes for ASCII letters and for nothing else") {
  for (int b = 0; b < 256; ++b) {
    const char c = static_cast<char>(b);
    CAPTURE(b);
    const bool upper = b >= 'A' && b <= 'Z';
    const bool lower = b >= 'a' && b <= 'z';
    CHECK(ascii::to_lower(c) == static_cast<char>(upper ? b + 32 : b));
    CHECK(ascii::to_upper(c) == static_cast<char>(lower ? b - 32 : b));
  }
  CHECK(ascii::iequals("InBoX", "INBOX"));
  CHECK_FALSE(ascii::iequals("INBOX", "INBO"));
  CHECK_FALSE(ascii::iequals("\xC3\x84", "\xC3\xA4"));
  CHECK(ascii::iless("a", "B"));
  CHECK(ascii::iless("a", "AB"));
  CHECK_FALSE(ascii::iless("A", "a"));
}

TEST_CASE("an empty text is of no class") {
  CHECK_FALSE(ascii::all("", ascii::is_digit));
  CHECK(ascii::all("12", ascii::is_digit));
  CHECK_FALSE(ascii::all("1a", ascii::is_digit));
}
