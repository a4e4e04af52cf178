#include "protocol/lmtp/xclient.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::lmtp;

TEST_CASE("XCLIENT tells a client's name, address and greeting") {
  const auto all =
      parse_xclient("NAME=spike.example.org addr=192.0.2.1 PORT=1234 PROTO=ESMTP HELO=a+2Bb LOGIN=x DESTPORT=24");
  REQUIRE(all);
  CHECK(all->name == "spike.example.org");
  CHECK(all->helo == "a+b");
  CHECK(all->address == IpAddress::parse("192.0.2.1").value());
  CHECK(parse_xclient("ADDR=IPV6:2001:db8::1")->address == IpAddress::parse("2001:db8::1").value());
  CHECK(parse_xclient("ADDR=2001:db8::1")->address == IpAddress::parse("2001:db8::1").value());
  CHECK(parse_xclient(" NAME=[UNAVAILABLE]  ADDR=[tempunavail] ").value() == XClient());
}

TEST_CASE("what is no XCLIENT is refused") {
  for (const char* wrong : {"", " ", "NAME", "NAME=", "=x", "NAM=x", "NAMES=x", "ADDR=example.org", "ADDR=192.0.2.1/24",
                            "HELO=a+0Ab", "HELO=a+20b", "NAME=\xC3\xBC", "NAME=a=b", "NAME=x ADDR="}) {
    CHECK_MESSAGE(!parse_xclient(wrong), wrong);
  }
  CHECK(!parse_xclient("NAME=" + std::string(256, 'a')));
  CHECK(parse_xclient("NAME=" + std::string(255, 'a')));
}
