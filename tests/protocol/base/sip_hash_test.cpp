#include "protocol/base/sip_hash.h"

#include <doctest/doctest.h>

#include <string>

using namespace postkeep;

TEST_CASE("SipHash gives what its authors' vectors say") {
  const SipKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  CHECK(sip_hash(key, "") == Hash128{0xe6a825ba047f81a3U, 0x930255c71472f66dU});
  CHECK(sip_hash(key, std::string(1, '\0')) == Hash128{0x44af996bd8c187daU, 0x45fc229b11597634U});
}

TEST_CASE("SipHash tells texts and keys apart, over the border of a word too") {
  const SipKey key{1, 2};
  CHECK(sip_hash(key, "12345678") != sip_hash(key, std::string("12345678\0", 9)));
  CHECK(sip_hash(key, "123456789") != sip_hash(key, "123456788"));
  CHECK(sip_hash(key, "123456789") != sip_hash(SipKey{1, 3}, "123456789"));
  CHECK(sip_hash(key, "123456789") == sip_hash(key, "123456789"));
}
