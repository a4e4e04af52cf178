#include "server/net/deflate_stream.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/random.h"
#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace postkeep::test;

namespace {

std::string inflated(DeflateStream& stream, std::size_t limit = 16 * 1024) {
  std::string text;
  while (must(stream.inflate(text, limit)) > 0) {
  }
  return text;
}

std::string some_text(Random& random) {
  static const std::string words[] = {"* 1 FETCH (FLAGS (\\Seen) UID ", "NOOP\r\n", "BODY[] {", "aGVsbG8gd29ybGQ=\r\n"};
  std::string text;
  for (std::uint32_t i = random.below(200); i > 0; --i) {
    text += words[random.below(4)] + std::to_string(random.below(100000));
    if (random.one_in(10)) text += static_cast<char>(random.below(256));
  }
  return text;
}

}  // namespace

TEST_CASE("what one compresses the other reads, each piece at once, whatever is parked in between") {
  Random random(7);
  for (const int level : {1, 3, 9}) {
    DeflateStream server(level);
    DeflateStream client(level);
    for (int i = 0; i < 300; ++i) {
      const bool from_server = random.one_in(2);
      DeflateStream& from = from_server ? server : client;
      DeflateStream& to = from_server ? client : server;
      const std::string text = some_text(random);
      std::string wire;
      from.compress(text, wire);
      // In two parts, so that parking also meets a stream in the middle of a block.
      const std::size_t cut = random.below(static_cast<std::uint32_t>(wire.size() + 1));
      to.feed(std::string_view(wire).substr(0, cut));
      std::string read = inflated(to, 1 + random.below(5000));
      if (random.one_in(2)) to.park();
      to.feed(std::string_view(wire).substr(cut));
      read += inflated(to);
      REQUIRE(read == text);
      if (random.one_in(3)) server.park();
      if (random.one_in(3)) client.park();
    }
  }
}

TEST_CASE("a parked stream keeps what was said last and no more") {
  DeflateStream stream(6);
  std::string wire;
  stream.compress(std::string(200'000, 'x'), wire);
  DeflateStream peer(6);
  peer.feed(wire);
  CHECK(inflated(peer).size() == 200'000);
  CHECK(stream.memory_bytes() > 200'000);
  stream.park();
  peer.park();
  CHECK(stream.memory_bytes() < 8 * 1024);
  CHECK(peer.memory_bytes() < 40 * 1024);
  // What it kept is used: the same words again cost little.
  std::string again;
  stream.compress(std::string(3000, 'x'), again);
  CHECK(again.size() < 64);
}

TEST_CASE("a small input that means very much comes out in pieces") {
  DeflateStream bomb(9);
  std::string wire;
  bomb.compress(std::string(50'000'000, 'a'), wire);
  CHECK(wire.size() < 100'000);
  DeflateStream stream(3);
  stream.feed(wire);
  std::string text;
  CHECK(must(stream.inflate(text, 16 * 1024)) == 16 * 1024);
  CHECK(text.size() == 16 * 1024);
}

TEST_CASE("what is no DEFLATE is an error, and the end of the stream an end") {
  DeflateStream stream(3);
  stream.feed("a1 NOOP\r\n");
  std::string text;
  CHECK_FALSE(stream.inflate(text, 1000).has_value());
  DeflateStream ended(3);
  ended.feed(std::string_view("\x03\x00", 2));  // an empty last block
  CHECK(must(ended.inflate(text, 1000)) == 0);
  CHECK(ended.ended());
}
