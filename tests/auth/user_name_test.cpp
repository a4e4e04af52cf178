#include "auth/user_name.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::auth;

TEST_CASE("ordinary names and addresses are user names, the domain in lower case") {
  CHECK(checked_user_name("alice").value() == "alice");
  CHECK(checked_user_name("Alice.Smith+x_1-2").value() == "Alice.Smith+x_1-2");
  CHECK(checked_user_name("alice@Example.ORG").value() == "alice@example.org");
  CHECK(checked_user_name("J\xC3\xBCrgen").value() == "J\xC3\xBCrgen");
  CHECK(checked_user_name("Ju\xCC\x88rgen").value() == "J\xC3\xBCrgen");  // NFC
}

TEST_CASE("names that could hide, escape or confuse are refused") {
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string(".alice"),
                                 std::string("-rf"),
                                 std::string("a/b"),
                                 std::string("a\\b"),
                                 std::string("a b"),
                                 std::string("a\tb"),
                                 std::string("a\nb"),
                                 std::string("a\0b", 3),
                                 std::string("a\x7F"),
                                 std::string("a%2Fb"),
                                 std::string("\"a\""),
                                 std::string("<a>"),
                                 std::string("a@b@c"),
                                 std::string("@b"),
                                 std::string("a@"),
                                 std::string("\xFF"),
                                 std::string("a\xC2\xA0") + "b",
                                 std::string("a\xE2\x80\x8B") + "b",
                                 std::string("a\xE2\x80\xAE") + "b",
                                 std::string(300, 'x'),
                                 std::string(100, '+')}) {
    CAPTURE(bad);
    const auto refused = checked_user_name(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::cannot);
  }
}

TEST_CASE("names that differ in case or composition have one key, others do not") {
  CHECK(user_key("Alice@Example.org") == user_key("alice@example.ORG"));
  CHECK(user_key("J\xC3\xBCrgen") == user_key("JU\xCC\x88RGEN"));
  CHECK(user_key("alice") != user_key("alicf"));
  CHECK(user_key("alice") != user_key("alice@example.org"));
}

TEST_CASE("an ill-formed name has a key that no valid name has") {
  CHECK(user_key("\xFF") != user_key("\xEF\xBF\xBD"));
  CHECK(user_key("ali\xFF") != user_key("ali"));
}
