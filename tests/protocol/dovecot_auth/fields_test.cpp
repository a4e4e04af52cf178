#include "protocol/dovecot_auth/fields.h"

#include <doctest/doctest.h>

using namespace postkeep::dovecot_auth;
using namespace std::string_literals;

TEST_CASE("a field comes back as it was, whatever octets it has") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  const std::string field = escape_field(all);
  CHECK(field.find_first_of("\t\r\n\0"s) == std::string::npos);
  CHECK(unescape_field(field) == all);
  CHECK(escape_field("a\tb") == "a\x01tb");
  CHECK(escape_field("\x01") ==
        "\x01"
        "1");
}

TEST_CASE("an escape that nobody writes is refused") {
  CHECK(unescape_field("a\x01") == std::nullopt);
  CHECK(unescape_field("\x01x") == std::nullopt);
  CHECK(unescape_field("\x01\x01") == std::nullopt);
  CHECK(unescape_field("") == "");
}

TEST_CASE("fields are what tabs separate, and the last of many has the rest") {
  using Fields = std::vector<std::string_view>;
  CHECK(split_fields("", 9) == Fields{""});
  CHECK(split_fields("AUTH", 9) == Fields{"AUTH"});
  CHECK(split_fields("a\t\tb\t", 9) == Fields{"a", "", "b", ""});
  CHECK(split_fields("a\tb\tc", 3) == Fields{"a", "b", "c"});
  CHECK(split_fields("a\tb\tc", 2) == Fields{"a", "b\tc"});
}
