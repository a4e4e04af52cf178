#include "storage/digest.h"

#include <doctest/doctest.h>

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

}  // namespace
}  // namespace postkeep::storage
