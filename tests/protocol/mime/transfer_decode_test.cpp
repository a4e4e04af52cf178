#include "protocol/mime/transfer_decode.h"

#include <doctest/doctest.h>

#include "tests/support/cuts.h"
#include "tests/support/random.h"

using namespace postkeep::mime;
using namespace std::string_literals;

namespace {

struct Case {
  std::string encoded;
  std::string decoded;
  bool broken;
};

void check_all(TransferEncoding encoding, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.encoded);
    postkeep::test::for_each_cut(c.encoded, [&](const auto& pieces) {
      TransferDecoder decoder(encoding);
      std::string out;
      for (const std::string_view piece : pieces) decoder.feed(piece, out);
      decoder.finish(out);
      CHECK(out == c.decoded);
      CHECK(decoder.broken() == c.broken);
    });
  }
}

}  // namespace

TEST_CASE("transfer encodings are known by their names") {
  CHECK(parse_transfer_encoding("7bit") == TransferEncoding::identity);
  CHECK(parse_transfer_encoding("") == TransferEncoding::identity);
  CHECK(parse_transfer_encoding(" BASE64 (comment)") == TransferEncoding::base64);
  CHECK(parse_transfer_encoding("Quoted-Printable;") == TransferEncoding::quoted_printable);
  CHECK(parse_transfer_encoding("x-uuencode") == TransferEncoding::uuencode);
  CHECK(parse_transfer_encoding("8-bit") == TransferEncoding::unknown);
}

TEST_CASE("base64 is decoded at every cut, broken or not") {
  check_all(TransferEncoding::base64, {
                                          {"", "", false},
                                          {"SGVsbG8=", "Hello", false},
                                          {"SGVs\r\nbG8h\r\n", "Hello!", false},
                                          {"SGVsbG8", "Hello", true},          // padding lost
                                          {"SGVsbG8=SGk=", "HelloHi", false},  // two texts in one
                                          {"SG!Vs bG8=", "Hello", true},
                                          {"S", "", true},
                                          {"====", "", false},
                                          {"AP8A", "\0\xFF\0"s, false},
                                      });
}

TEST_CASE("quoted-printable is decoded at every cut, broken or not") {
  check_all(TransferEncoding::quoted_printable,
            {
                {"", "", false},
                {"a=3Db=\r\nc\r\n", "a=bc\r\n", false},
                {"a=  \r\nb", "ab", false},               // blanks after a soft break
                {"a \t\r\nb \r\n", "a\r\nb\r\n", false},  // blanks at line ends are not content
                {"a=\nb \nc", "ab\nc", false},
                {"a b\tc", "a b\tc", false},
                {"=e4=E4", "\xE4\xE4", false},
                {"a=zb=4", "a=zb=4", true},
                {"100=% ==3D", "100=% ==", true},
                {"a=", "a", false},
                {"a=\r\n", "a", false},
                {"a\rb", "a\rb", true},
                {"a =20\r\n", "a  \r\n", false},
                {"=4\r\n", "=4\r\n", true},
            });
}

TEST_CASE("quoted-printable in one piece is what it is octet by octet") {
  postkeep::test::Random random(3);
  constexpr std::string_view octets = "abcxyz  \t\t=\r\n\n4F=3";
  for (int round = 0; round < 20'000; ++round) {
    std::string encoded;
    for (std::uint32_t i = random.below(40); i > 0; --i) encoded += octets[random.below(octets.size())];
    if (random.one_in(50)) encoded.insert(random.below(static_cast<std::uint32_t>(encoded.size() + 1)), 1'500, ' ');
    TransferDecoder whole(TransferEncoding::quoted_printable);
    TransferDecoder single(TransferEncoding::quoted_printable);
    std::string all;
    std::string one_by_one;
    whole.feed(encoded, all);
    whole.finish(all);
    for (const char c : encoded) single.feed(std::string_view(&c, 1), one_by_one);
    single.finish(one_by_one);
    CAPTURE(encoded);
    REQUIRE(all == one_by_one);
    REQUIRE(whole.broken() == single.broken());
  }
}

TEST_CASE("uuencoded text is decoded between begin and end") {
  check_all(TransferEncoding::uuencode, {
                                            {"text\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\nmore\r\n", "Cat", false},
                                            {"begin 644 a\n#0V%T\nend", "Cat", false},
                                            {"begin 644 a\n$0V%T\n", "Cat\0"s, false},
                                            {"#0V%T\n", "", false},
                                        });
}

TEST_CASE("other encodings pass octets through") {
  check_all(TransferEncoding::identity, {{"a=3D\0\r\n"s, "a=3D\0\r\n"s, false}});
  check_all(TransferEncoding::unknown, {{"a=3D", "a=3D", false}});
}

TEST_CASE("blanks without end are not held") {
  TransferDecoder decoder(TransferEncoding::quoted_printable);
  std::string out;
  for (int i = 0; i < 100; ++i) decoder.feed(std::string(1000, ' '), out);
  CHECK(out.size() > 98000);
}
