#include "conformance/runner/deflate.h"

#include <doctest/doctest.h>

using postkeep::conformance::Deflate;

TEST_CASE("what one side compresses the other reads at once, in pieces of any size") {
  Deflate client;
  Deflate server;
  const std::string text = "a FETCH 1:* FLAGS\r\n" + std::string(100'000, 'x');
  for (int round = 0; round < 3; ++round) {
    const std::string packed = client.compress(text);
    CHECK(packed.size() < text.size() / 10);
    std::string read;
    for (std::size_t at = 0; at < packed.size(); at += 7) {
      const auto piece = server.inflate(std::string_view(packed).substr(at, 7));
      REQUIRE(piece);
      read += *piece;
    }
    CHECK(read == text);
  }
}

TEST_CASE("what is no DEFLATE is said") { CHECK_FALSE(Deflate().inflate("* OK this is plain text\r\n")); }
