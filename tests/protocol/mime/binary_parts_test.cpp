#include "protocol/mime/binary_parts.h"

#include <doctest/doctest.h>

#include <string>

#include "protocol/mime/section_resolve.h"
#include "protocol/mime/structure.h"

using namespace postkeep;
using namespace std::string_literals;

namespace {

// A message in memory that gives at most `piece` octets at once.
mime::OctetSource source_of(const std::string& message, std::size_t piece = 1'000'000) {
  return [&message, piece](std::uint64_t offset, std::span<char> buffer) -> Result<std::size_t> {
    if (offset >= message.size()) return std::size_t{0};
    return message.copy(buffer.data(), std::min(piece, buffer.size()), static_cast<std::size_t>(offset));
  };
}

std::string encoded(const std::string& message, std::size_t piece = 1'000'000) {
  std::string out;
  const auto parts = mime::find_binary_parts(source_of(message, piece));
  REQUIRE(parts);
  REQUIRE(mime::encode_binary_parts(source_of(message, piece), *parts, [&](std::string_view octets) -> Outcome {
    out += octets;
    return {};
  }));
  return out;
}

std::string decoded_body(const std::string& message, const mime::Part& part) {
  return mime::decode_body(part.encoding(),
                           std::string_view(message).substr(part.body.begin, part.body.end - part.body.begin));
}

const std::string binary_head = "Subject: x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n";

}  // namespace

TEST_CASE("a message that is binary becomes base64, and its data stays") {
  const std::string data = "a\0b\r\n\xff\n"s;
  const std::string message = binary_head + "X-After: 1\r\n\r\n" + data;
  const std::string out = encoded(message);
  CHECK(out ==
        "Subject: x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nX-After: 1\r\n\r\nYQBiDQr/Cg==");
  CHECK(decoded_body(out, mime::parse_structure(out)) == data);
}

TEST_CASE("what has no NUL, or says not that it is binary, is left alone") {
  for (const std::string& message : {
           binary_head + "\r\nno such octet\r\n",
           "Subject: x\r\n\r\na\0b"s,
           "Content-Transfer-Encoding: 8bit\r\n\r\na\0b"s,
           "Content-Transfer-Encoding: base64\r\n\r\na\0b"s,
           "Subject: \0\r\nContent-Transfer-Encoding: binary\r\n\r\nab"s,
           ""s,
       }) {
    CAPTURE(message);
    CHECK(mime::find_binary_parts(source_of(message))->empty());
    CHECK(encoded(message) == message);
  }
}

TEST_CASE("of a multipart only the parts with NUL change") {
  const std::string before =
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: binary\n\nplain\n--b\n";
  const std::string message =
      before + "content-transfer-encoding:\n  BINARY (so)\nContent-Type: a/b\n\n\0\n--b\n\n\0\n--b--\n"s;
  const std::string out = encoded(message);
  CHECK(out == before + "content-transfer-encoding: base64\nContent-Type: a/b\n\nAA==\n--b\n\n\0\n--b--\n"s);
  CHECK(decoded_body(out, mime::parse_structure(out).children.at(1)) == "\0"s);
}

TEST_CASE("a part of a message within a message") {
  const std::string message =
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n" + binary_head + "\r\n\0\x01"s;
  const std::string out = encoded(message);
  const mime::Part tree = mime::parse_structure(out);
  CHECK(tree.encoding_name == "binary");
  CHECK(tree.children.at(0).encoding_name == "base64");
  CHECK(decoded_body(out, tree.children.at(0)) == "\0\x01"s);
}

TEST_CASE("a multipart without delimiters has no part to say it of, but itself") {
  const std::string data = "no \0 delimiter\r\n"s;
  const std::string message =
      "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n" + data;
  const std::string out = encoded(message);
  const mime::Part tree = mime::parse_structure(out);
  CHECK(tree.encoding_name == "base64");
  CHECK(decoded_body(out, tree.children.at(0)) == data);
}

TEST_CASE("large data is read and written in pieces, and no line has more than 76 characters") {
  std::string data;
  for (int i = 0; i < 300'000; ++i) data += static_cast<char>(i * 7 % 256);
  const std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + binary_head + "\r\n" + data +
                              "\r\n--b\r\n\r\nlast\r\n--b--\r\n";
  const std::string out = encoded(message, 1'000);
  CHECK(out == encoded(message));
  const mime::Part tree = mime::parse_structure(out);
  REQUIRE(tree.children.size() == 2);
  CHECK(decoded_body(out, tree.children[0]) == data);
  CHECK(decoded_body(out, tree.children[1]) == "last");
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = out.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    CHECK(end - at <= 76);
    at = end + 2;
  }
}

TEST_CASE("an error of the source or of the sink is that of the call") {
  const std::string message = binary_head + "\r\n\0"s;
  const mime::OctetSource failing = [](std::uint64_t, std::span<char>) -> Result<std::size_t> {
    return failure(ErrorKind::unavailable, "no disk");
  };
  CHECK(mime::find_binary_parts(failing).error().kind == ErrorKind::unavailable);
  const auto parts = mime::find_binary_parts(source_of(message));
  CHECK(mime::encode_binary_parts(failing, *parts, [](std::string_view) { return Outcome(); }).error().kind ==
        ErrorKind::unavailable);
  CHECK(mime::encode_binary_parts(source_of(message), *parts,
                                  [](std::string_view) -> Outcome { return failure(ErrorKind::over_quota, "full"); })
            .error()
            .kind == ErrorKind::over_quota);
}
