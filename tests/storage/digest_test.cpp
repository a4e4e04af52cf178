#include "storage/digest.h"

#include <doctest/doctest.h>

#include <string>

namespace postkeep::storage {
namespace {

// FIPS 180-4 examples.
TEST_CASE("SHA-256 gives the published digests") {
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc"), 4) == "ba7816bf");
}

TEST_CASE("a digest does not depend on how the octets were cut") {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  Sha256 moved = std::move(hash);
  moved.update("bc");
  CHECK(moved.finish() == sha256("abc"));
}

KeyedHash::Key key_of(std::uint8_t first) {
  KeyedHash::Key key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(first + i);
  return key;
}

TEST_CASE("SipHash gives what its authors' vectors say, however often it is asked") {
  KeyedHash hash(key_of(0));
  for (int round = 0; round < 2; ++round) {
    CHECK(hash.of("") == Hash128{0xe6a825ba047f81a3U, 0x930255c71472f66dU});
    CHECK(hash.of(std::string(1, '\0')) == Hash128{0x44af996bd8c187daU, 0x45fc229b11597634U});
  }
}

TEST_CASE("SipHash tells texts and keys apart") {
  KeyedHash hash(key_of(1));
  KeyedHash other(key_of(2));
  CHECK(hash.of("12345678") != hash.of(std::string("12345678\0", 9)));
  CHECK(hash.of("123456789") != hash.of("123456788"));
  CHECK(hash.of("123456789") != other.of("123456789"));
  CHECK(hash.of("123456789") == hash.of("123456789"));
}

}  // namespace
}  // namespace postkeep::storage
