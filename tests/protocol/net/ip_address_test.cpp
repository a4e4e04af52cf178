#include "protocol/net/ip_address.h"

#include <doctest/doctest.h>

#include <unordered_set>
#include <vector>

using namespace postkeep;

namespace {

// As it is written again, or "" for what is none.
std::string again(std::string_view text) {
  const Result<IpAddress> address = IpAddress::parse(text);
  return address ? address->to_string() : "";
}

std::string network_again(std::string_view text) {
  const Result<IpNetwork> network = IpNetwork::parse(text);
  return network ? network->to_string() : "";
}

IpAddress ip_of(std::string_view text) { return IpAddress::parse(text).value(); }
IpNetwork net_of(std::string_view text) { return IpNetwork::parse(text).value(); }

}  // namespace

TEST_CASE("an IPv4 address is four decimal numbers and nothing else") {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "127.0.0.1"}) CHECK(again(text) == text);
  for (const char* text :
       {"", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1..3.4", "1.2.3.4 ",
        " 1.2.3.4", "1.2.3.-4", "+1.2.3.4", "0x1.2.3.4", "a.b.c.d", "1.2.3.4/8", "0000000001.2.3.4", "localhost"}) {
    CAPTURE(text);
    CHECK(again(text) == "");
  }
}

TEST_CASE("an IPv6 address is written as RFC 5952 wants it, however it was read") {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one group stays
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // the first of equal ones
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"fe80::ff:fe00:0", "fe80::ff:fe00:0"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.first);
    CHECK(again(each.first) == each.second);
  }
}

TEST_CASE("what is not an IPv6 address is refused") {
  for (const char* text : {":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "::1::",
                           "12345::",
                           "g::",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "fe80::1%eth0",
                           "[::1]",
                           "::1/64",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "::1.2.3",
                           "::256.0.0.1",
                           ":1::",
                           "1:",
                           "::-1",
                           "::0x1",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "0000:0000:0000:0000:0000:ffff:255.255.255.255.255"}) {
    CAPTURE(text);
    CHECK(again(text) == "");
  }
}

TEST_CASE("a mapped address is the IPv4 address") {
  CHECK(again("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(again("::ffff:c000:201") == "192.0.2.1");
  CHECK(ip_of("::ffff:192.0.2.1") == ip_of("192.0.2.1"));
  CHECK(ip_of("::ffff:127.0.0.1").is_loopback());
  CHECK_FALSE(ip_of("::192.0.2.1").is_v4());
  CHECK(std::hash<IpAddress>()(ip_of("::ffff:192.0.2.1")) == std::hash<IpAddress>()(ip_of("192.0.2.1")));
}

TEST_CASE("loopback is 127/8 and ::1") {
  CHECK(ip_of("127.0.0.1").is_loopback());
  CHECK(ip_of("127.255.1.2").is_loopback());
  CHECK(ip_of("::1").is_loopback());
  CHECK_FALSE(ip_of("128.0.0.1").is_loopback());
  CHECK_FALSE(ip_of("::2").is_loopback());
  CHECK_FALSE(ip_of("7f00::1").is_loopback());
}

TEST_CASE("a prefix has the first bits and no others") {
  CHECK(ip_of("255.255.255.255").prefix(0).to_string() == "0.0.0.0");
  CHECK(ip_of("255.255.255.255").prefix(1).to_string() == "128.0.0.0");
  CHECK(ip_of("255.255.255.255").prefix(23).to_string() == "255.255.254.0");
  CHECK(ip_of("255.255.255.255").prefix(32).to_string() == "255.255.255.255");
  CHECK(ip_of("255.255.255.255").prefix(99).to_string() == "255.255.255.255");
  CHECK(ip_of("2001:db8:ffff:ffff:1:2:3:4").prefix(64).to_string() == "2001:db8:ffff:ffff::");
  CHECK(ip_of("2001:db8:ffff:ffff:1:2:3:4").prefix(33).to_string() == "2001:db8:8000::");
}

TEST_CASE("a network is a prefix, or one address") {
  for (const char* text : {"192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.1", "2001:db8::/32", "::/0", "::1"}) {
    CHECK(network_again(text) == text);
  }
  CHECK(network_again("192.0.2.1/32") == "192.0.2.1");
  CHECK(network_again("::ffff:10.0.0.0/104") == "10.0.0.0/8");
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8",
                           "10.0.0.1/8", "::/129", "2001:db8::1/64", "::ffff:10.0.0.0/8", "10.0.0/8", "example.org"}) {
    CAPTURE(text);
    CHECK(network_again(text) == "");
  }
  CHECK(IpNetwork::parse("10.0.0.1/8").error().text.find("10.0.0.0/8") != std::string::npos);
}

TEST_CASE("a network contains its addresses and no others, of its family only") {
  CHECK(net_of("192.0.2.0/24").contains(ip_of("192.0.2.255")));
  CHECK_FALSE(net_of("192.0.2.0/24").contains(ip_of("192.0.3.0")));
  CHECK(net_of("192.0.2.0/23").contains(ip_of("192.0.3.0")));
  CHECK(net_of("192.0.2.0/24").contains(ip_of("::ffff:192.0.2.7")));
  CHECK(net_of("2001:db8::/32").contains(ip_of("2001:db8:ffff::1")));
  CHECK_FALSE(net_of("2001:db8::/32").contains(ip_of("2001:db9::")));
  CHECK_FALSE(net_of("::/0").contains(ip_of("192.0.2.1")));
  CHECK_FALSE(net_of("0.0.0.0/0").contains(ip_of("::1")));
  CHECK(net_of("127.0.0.1").contains(ip_of("127.0.0.1")));
  CHECK_FALSE(net_of("127.0.0.1").contains(ip_of("127.0.0.2")));
  const std::vector networks = {net_of("10.0.0.0/8"), net_of("::1")};
  CHECK(contains(networks, ip_of("10.1.2.3")));
  CHECK(contains(networks, ip_of("::1")));
  CHECK_FALSE(contains(networks, ip_of("11.1.2.3")));
  CHECK_FALSE(contains({}, ip_of("::1")));
}

TEST_CASE("a site is an IPv4 address or the /64 of an IPv6 one") {
  CHECK(site_of(ip_of("192.0.2.1")).to_string() == "192.0.2.1");
  CHECK(site_of(ip_of("2001:db8:1:2:3:4:5:6")).to_string() == "2001:db8:1:2::/64");
  CHECK(site_of(ip_of("2001:db8:1:2:3:4:5:6")) == site_of(ip_of("2001:db8:1:2::")));
  CHECK_FALSE(site_of(ip_of("2001:db8:1:2::")) == site_of(ip_of("2001:db8:1:3::")));
}

TEST_CASE("addresses may be keys") {
  std::unordered_set<IpAddress> seen;
  for (unsigned i = 0; i < 512; ++i) {
    seen.insert(IpAddress(IpAddress::V4{10, 0, static_cast<unsigned char>(i / 256), static_cast<unsigned char>(i)}));
  }
  CHECK(seen.size() == 512);
  CHECK(seen.contains(ip_of("10.0.1.255")));
  CHECK(ip_of("9.255.255.255") < ip_of("10.0.0.0"));
}
