#include "protocol/mime/header_octets.h"

#include <doctest/doctest.h>

#include <string>

using namespace postkeep;

namespace {

// The answer, which no cut may change.
bool has_eight_bit(const std::string& message) {
  mime::HeaderOctets whole;
  whole.feed(message);
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    mime::HeaderOctets halves;
    halves.feed(std::string_view(message).substr(0, cut));
    halves.feed(std::string_view(message).substr(cut));
    CAPTURE(cut);
    CHECK(halves.has_eight_bit() == whole.has_eight_bit());
  }
  mime::HeaderOctets bytewise;
  for (const char& c : message) bytewise.feed(std::string_view(&c, 1));
  CHECK(bytewise.has_eight_bit() == whole.has_eight_bit());
  return whole.has_eight_bit();
}

}  // namespace

TEST_CASE("octets beyond ASCII count in the header only") {
  CHECK(has_eight_bit("Subject: na\xC3\xAFve\r\n\r\nx\r\n"));
  CHECK(has_eight_bit("A: b\r\nSubject: x\r\n na\xEFve\r\n\r\nx\r\n"));
  CHECK(has_eight_bit("A: b\r\nS\x80: x"));
  CHECK(has_eight_bit("\xFF"));
  CHECK_FALSE(has_eight_bit("Subject: naive\r\n\r\nna\xC3\xAFve\r\n"));
  CHECK_FALSE(has_eight_bit("Subject: naive\n\nna\xC3\xAFve\n"));
  CHECK_FALSE(has_eight_bit("\r\n\xC3\xAF\r\n"));
  CHECK_FALSE(has_eight_bit("\n\xC3\xAF\n"));
  CHECK_FALSE(has_eight_bit(""));
}

TEST_CASE("only an empty line ends the header") {
  CHECK(has_eight_bit("A: b\r\n \r\nC: \xC3\xAF\r\n\r\n"));
  CHECK(has_eight_bit("A: b\r\r\nC: \xC3\xAF\r\n\r\n"));
  CHECK(has_eight_bit("A: b\r\n\rC: \xC3\xAF\r\n\r\n"));
  CHECK(has_eight_bit("A: b\r\n\r\xC3\xAF\r\n\r\n"));
  CHECK_FALSE(has_eight_bit("A: b\r\n\nC: \xC3\xAF\r\n\r\n"));
}

TEST_CASE("it is decided at the first octet beyond ASCII, or behind the header") {
  mime::HeaderOctets header;
  header.feed("A: b\r\n");
  CHECK_FALSE(header.is_decided());
  header.feed("\r\n");
  CHECK(header.is_decided());
  mime::HeaderOctets eight_bit;
  eight_bit.feed("A: \xC3");
  CHECK(eight_bit.is_decided());
}
