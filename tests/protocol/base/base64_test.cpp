#include "protocol/base/base64.h"

#include <doctest/doctest.h>

using namespace postkeep;

TEST_CASE("base64 follows the examples of RFC 4648") {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text).value() == bytes);
  }
}

TEST_CASE("every octet survives base64") {
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(b);
  CHECK(base64_decode(base64_encode(all)).value() == all);
}

TEST_CASE("base64 that is not exact is refused") {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zg==Zg==", "=", "====", "Z===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\r\n",
                           "Zm9v\n", "Zm_v", "Z=g="}) {
    CAPTURE(text);
    const auto decoded = base64_decode(text);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().kind == ErrorKind::bad_syntax);
  }
}
