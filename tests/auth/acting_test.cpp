#include "auth/acting.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::auth;

namespace {

std::vector<ActingRight> rights(std::initializer_list<std::string_view> texts) {
  std::vector<ActingRight> all;
  for (const std::string_view text : texts) all.push_back(acting_right_from_text(text).value());
  return all;
}

std::string split(std::string_view login, std::string_view authorization, std::string_view separator) {
  const LoginName name = split_master(login, authorization, separator);
  return name.login + "|" + name.authorization;
}

}  // namespace

TEST_CASE("a right holds for one user, for a domain, or for all, in one direction") {
  const auto one = rights({"alice as bob"});
  CHECK(may_act(one, "alice", "bob"));
  CHECK(may_act(one, "Alice", "BOB"));
  CHECK_FALSE(may_act(one, "bob", "alice"));
  CHECK_FALSE(may_act(one, "alice", "carol"));
  CHECK_FALSE(may_act(one, "alice@example.org", "bob"));
  const auto domain = rights({"root as *@Example.org"});
  CHECK(may_act(domain, "root", "bob@example.org"));
  CHECK_FALSE(may_act(domain, "root", "bob@sub.example.org"));
  CHECK_FALSE(may_act(domain, "root", "bob"));
  CHECK(may_act(rights({"root as *"}), "root", "anybody@example.net"));
  CHECK_FALSE(may_act({}, "root", "bob"));
}

TEST_CASE("rights are read and written, and malformed ones refused") {
  for (const char* text : {"alice as bob", "alice as *", "root@example.org as *@example.net"}) {
    CHECK(to_text(acting_right_from_text(text).value()) == text);
  }
  for (const char* bad : {"", "alice", "alice as ", " as bob", "alice as b*b", "* as bob", "alice as *@", "a b as c"}) {
    CAPTURE(bad);
    CHECK_FALSE(acting_right_from_text(bad).has_value());
  }
}

TEST_CASE("user*master is taken apart at the last separator, and only where there is one") {
  CHECK(split("bob*admin", "", "*") == "admin|bob");
  CHECK(split("bob@example.org*admin@example.org", "", "*") == "admin@example.org|bob@example.org");
  CHECK(split("a*b*c", "", "*") == "c|a*b");
  CHECK(split("bob*admin", "", "") == "bob*admin|");
  CHECK(split("bob*admin", "carol", "*") == "bob*admin|carol");
  CHECK(split("bob%admin", "", "*") == "bob%admin|");
  CHECK(split("*admin", "", "*") == "*admin|");
  CHECK(split("bob*", "", "*") == "bob*|");
  CHECK(split("alice", "bob", "*") == "alice|bob");
}
