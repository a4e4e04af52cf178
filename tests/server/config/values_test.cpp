#include "server/config/values.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::config;

TEST_CASE("networks are read from texts and written as they are meant") {
  const RawValue list = std::vector<std::string>{"192.0.2.0/24", "2001:DB8::/32", "::ffff:127.0.0.1"};
  const auto networks = read_networks(list);
  REQUIRE(networks);
  CHECK(write_networks(*networks) == RawValue(std::vector<std::string>{"192.0.2.0/24", "2001:db8::/32", "127.0.0.1"}));
  CHECK(read_networks(RawValue(std::string("10.0.0.0/8"))).value().size() == 1);
  CHECK(read_networks(RawValue(std::vector<std::string>{})).value().empty());
}

TEST_CASE("a network that is none is named, with what is wrong with it") {
  const auto wrong = read_networks(RawValue(std::vector<std::string>{"10.0.0.0/8", "10.0.0.1/8"}));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().text.starts_with("must be a list of networks"));
  CHECK(wrong.error().text.find("\"10.0.0.1/8\"") != std::string::npos);
  CHECK_FALSE(read_networks(RawValue(std::int64_t{7})));
  CHECK_FALSE(read_networks(RawValue(std::string("localhost"))));
}
