#include "protocol/http/request.h"

#include <doctest/doctest.h>

#include <string>

using namespace postkeep;
using namespace postkeep::http;

namespace {

ErrorKind refused(const std::string& bytes) {
  const auto parsed = parse_request(bytes);
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().kind;
}

}  // namespace

TEST_CASE("a request head is complete with its empty line and not before") {
  const std::string head = "GET /metrics?a=b HTTP/1.1\r\nHost: localhost:9095\r\nAccept: text/plain\r\n\r\n";
  for (std::size_t length = 0; length < head.size(); ++length) {
    CAPTURE(length);
    const auto parsed = parse_request(std::string_view(head).substr(0, length));
    REQUIRE(parsed.has_value());
    CHECK_FALSE(parsed->has_value());
  }
  const auto parsed = parse_request(head + "what follows");
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->has_value());
  CHECK((*parsed)->method == "GET");
  CHECK((*parsed)->path == "/metrics");
}

TEST_CASE("a request of a line alone is complete") {
  const auto parsed = parse_request("HEAD / HTTP/1.0\r\n\r\n");
  REQUIRE(parsed.value().has_value());
  CHECK((*parsed)->method == "HEAD");
}

TEST_CASE("what is not quite HTTP/1 is refused") {
  for (const char* line : {"GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "\r\n\r\n",
                           "GET http://a/ HTTP/1.1\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
                           "GET / HTTP/1.1 \r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                           "GET / HTTP/1.1\r\nA : b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
                           "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "GET / HTTP/1.1\r\n: b\r\n\r\n"}) {
    CAPTURE(line);
    CHECK(refused(line) == ErrorKind::bad_syntax);
  }
}

TEST_CASE("a head that is too long is refused as soon as it is") {
  std::string endless = "GET / HTTP/1.1\r\nA: ";
  endless.resize(head_octets_max - 1, 'a');
  CHECK_FALSE(parse_request(endless).value().has_value());
  endless += 'a';
  CHECK(refused(endless) == ErrorKind::too_big);
  CHECK(refused(endless + "\r\n\r\n") == ErrorKind::too_big);
}
