#include "protocol/proxy/header.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postkeep;
using namespace postkeep::proxy;
using namespace std::string_literals;

namespace {

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string four = "\xC0\x00\x02\x01\xC6\x33\x64\x02\x30\x39\x03\xE1"s;  // 192.0.2.1:12345 to 198.51.100.2:993

std::string binary(char command, char family, const std::string& rest) {
  return signature + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size()) + rest;
}

std::string addition(char type, const std::string& value) {
  return type + ""s + static_cast<char>(value.size() >> 8) + static_cast<char>(value.size()) + value;
}

// "source -> destination", "nobody", "local", "more", or "bad".
std::string said(std::string_view bytes) {
  const auto parsed = parse_header(bytes);
  if (!parsed) return "bad";
  if (!*parsed) return "more";
  const Header& header = (*parsed)->header;
  if (header.local) return "local";
  if (!header.source) return "nobody";
  return header.source->address.to_string() + "," + std::to_string(header.source->port) + " -> " +
         header.destination->address.to_string() + "," + std::to_string(header.destination->port);
}

// As said() when all is there, and at every cut before that more is wanted.
std::string said_at_every_cut(const std::string& header) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (said(std::string_view(header).substr(0, i)) != "more") return "not at " + std::to_string(i);
  }
  const std::string whole = header + "a1 NOOP\r\n";
  const auto parsed = parse_header(whole);
  if (parsed && *parsed && (*parsed)->size != header.size()) return "took " + std::to_string((*parsed)->size);
  return said(whole);
}

}  // namespace

TEST_CASE("a header in text tells client and server") {
  CHECK(said_at_every_cut("PROXY TCP4 192.0.2.1 198.51.100.2 12345 993\r\n") == "192.0.2.1,12345 -> 198.51.100.2,993");
  CHECK(said_at_every_cut("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n") == "2001:db8::1,65535 -> ::1,0");
  CHECK(said_at_every_cut("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n") == "192.0.2.1,1 -> ::1,2");
  CHECK(said_at_every_cut("PROXY UNKNOWN\r\n") == "nobody");
  CHECK(said_at_every_cut("PROXY UNKNOWN what \xFF ever\r\n") == "nobody");
  const std::string longest = "PROXY UNKNOWN " + std::string(text_header_octets_max - 16, 'x') + "\r\n";
  CHECK(longest.size() == text_header_octets_max);
  CHECK(said_at_every_cut(longest) == "nobody");
}

TEST_CASE("what is no header in text is refused") {
  for (const char* text : {"PROXY TCP4 192.0.2.1 198.51.100.2 12345 993\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 12345\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 12345 993 \r\n",
                           "PROXY TCP4  192.0.2.1 198.51.100.2 12345 993\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 65536 993\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 012 993\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 -1 993\r\n",
                           "PROXY TCP4 ::1 ::1 1 2\r\n",
                           "PROXY TCP6 192.0.2.1 ::1 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 localhost 1 2\r\n",
                           "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
                           "PROXY \r\n",
                           "PROXY\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 1\r 2\r\n",
                           "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
                           "proxy ",
                           "a1 LOGIN",
                           "QUIT\r\n",
                           "\x16\x03\x01",
                           "PROXX"}) {
    CAPTURE(text);
    CHECK(said(text) == "bad");
  }
  CHECK(said("PROXY UNKNOWN " + std::string(text_header_octets_max - 15, 'x') + "\r\n") == "bad");
  CHECK(said("PROXY UNKNOWN " + std::string(text_header_octets_max, 'x')) == "bad");
}

TEST_CASE("a binary header tells client and server") {
  CHECK(said_at_every_cut(binary(0x21, 0x11, four)) == "192.0.2.1,12345 -> 198.51.100.2,993");
  CHECK(said_at_every_cut(binary(0x21, 0x10, four)) == "192.0.2.1,12345 -> 198.51.100.2,993");
  const std::string six =
      "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01"s + std::string(15, '\0') + "\x02\x01\x02\x03\x04"s;
  CHECK(said_at_every_cut(binary(0x21, 0x21, six)) == "2001:db8::1,258 -> ::2,772");
  CHECK(said_at_every_cut(binary(0x21, 0x31, std::string(216, 'u'))) == "nobody");
  CHECK(said_at_every_cut(binary(0x21, 0x00, "")) == "nobody");
}

TEST_CASE("who speaks for itself needs no addresses") {
  CHECK(said_at_every_cut(binary(0x20, 0x00, "")) == "local");
  CHECK(said_at_every_cut(binary(0x20, 0x11, four)) == "local");
  CHECK(said_at_every_cut(binary(0x20, 0x00, addition(0x04, "xxx"))) == "local");
}

TEST_CASE("additions are skipped, whatever they are") {
  const std::string more = addition(0x01, "h2") + addition(0x02, "mail.example.org") + addition(0x04, "") +
                           addition(0x20, "\x01\0\0\0\0"s) + addition('\xEA', std::string(300, 'x'));
  CHECK(said_at_every_cut(binary(0x21, 0x11, four + more)) == "192.0.2.1,12345 -> 198.51.100.2,993");
  CHECK(said(binary(0x21, 0x11, four + "\x01")) == "bad");
  CHECK(said(binary(0x21, 0x11, four + "\x01\x00"s)) == "bad");
  CHECK(said(binary(0x21, 0x11, four + "\x01\x00\x02x"s)) == "bad");
}

TEST_CASE("a checksum must be right") {
  // CRC32C, by another implementation, of the header with zeros in its place.
  const std::string header = binary(0x21, 0x11, four + addition(0x03, "\xF0\x03\x3E\x88"s) + addition(0x04, "ab"));
  CHECK(said_at_every_cut(header) == "192.0.2.1,12345 -> 198.51.100.2,993");
  for (std::size_t i = 16; i < header.size(); ++i) {
    if (i >= 28 && i < 31) continue;  // type and length of the checksum itself
    if (i >= 35 && i < 38) continue;  // and of what is behind it
    std::string broken = header;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    CAPTURE(i);
    CHECK(said(broken) == "bad");
  }
  CHECK(said(binary(0x21, 0x11, four + addition(0x03, "abc"))) == "bad");
}

TEST_CASE("what is no binary header is refused as soon as that is sure") {
  CHECK(said(signature + "\x11") == "bad");
  CHECK(said(binary(0x22, 0x11, four)) == "bad");
  CHECK(said(binary(0x21, 0x41, four)) == "bad");
  CHECK(said(binary(0x21, 0x13, four)) == "bad");
  CHECK(said(binary(0x21, 0x12, four)) == "bad");
  CHECK(said(binary(0x21, 0x11, four.substr(1))) == "bad");
  CHECK(said(binary(0x21, 0x21, four)) == "bad");
  CHECK(said("\r\n\r\n\r\n") == "bad");
  CHECK(said(signature + "\x21\x11\xFF\xFF") == "bad");  // too long, before it has come
  const std::size_t room = binary_header_octets_max - 16 - 12 - 3;
  CHECK(said(binary(0x21, 0x11, four + addition(0x04, std::string(room, 'x')))) != "bad");
  CHECK(said(binary(0x21, 0x11, four + addition(0x04, std::string(room + 1, 'x')))) == "bad");
}
