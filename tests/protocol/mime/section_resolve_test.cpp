#include "protocol/mime/section_resolve.h"
#include "tests/support/crlf.h"

#include <doctest/doctest.h>

using namespace postkeep::mime;

using postkeep::test::crlf;

namespace {

// The message of RFC 9051 §6.4.5.1, with bodies that say which part they are.
const std::string example = crlf(
    "Subject: top\nContent-Type: multipart/mixed; boundary=a\n\n"
    "--a\n\nis 1\n"
    "--a\nContent-Type: application/octet-stream\n\nis 2\n"
    "--a\nContent-Type: message/rfc822\n\nSubject: three\nContent-Type: multipart/mixed; boundary=b\n\n"
    "--b\n\nis 3.1\n--b\nContent-Type: application/octet-stream\n\nis 3.2\n--b--\n"
    "--a\nContent-Type: multipart/mixed; boundary=c\n\n"
    "--c\nContent-Type: image/gif\n\nis 4.1\n"
    "--c\nContent-Type: message/rfc822\n\nSubject: four\nContent-Type: multipart/mixed; boundary=d\n\n"
    "--d\n\nis 4.2.1\n--d\nContent-Type: multipart/alternative; boundary=e\n\n"
    "--e\n\nis 4.2.2.1\n--e\n\nis 4.2.2.2\n--e--\n--d--\n--c--\n"
    "--a--\n");

std::optional<std::string> section(const std::string& message, std::vector<std::uint32_t> part, Section::Text text,
                                   std::vector<std::string> fields = {}) {
  Section wanted;
  wanted.part = std::move(part);
  wanted.text = text;
  wanted.fields = std::move(fields);
  return section_bytes(message, parse_structure(message), wanted);
}

}  // namespace

TEST_CASE("every part specifier of the RFC's example names its bytes") {
  using Text = Section::Text;
  const auto whole = [](std::vector<std::uint32_t> part) { return section(example, std::move(part), Text::whole); };
  CHECK(whole({}) == example);
  CHECK(whole({1}) == "is 1");
  CHECK(whole({2}) == "is 2");
  CHECK(whole({3, 1}) == "is 3.1");
  CHECK(whole({3, 2}) == "is 3.2");
  CHECK(whole({4, 1}) == "is 4.1");
  CHECK(whole({4, 2, 1}) == "is 4.2.1");
  CHECK(whole({4, 2, 2, 1}) == "is 4.2.2.1");
  CHECK(whole({4, 2, 2, 2}) == "is 4.2.2.2");
  CHECK(whole({3})->starts_with("Subject: three"));
  CHECK(whole({3})->ends_with("--b--"));
  CHECK(section(example, {}, Text::header) == crlf("Subject: top\nContent-Type: multipart/mixed; boundary=a\n\n"));
  CHECK(*section(example, {}, Text::header) + *section(example, {}, Text::text) == example);
  CHECK(section(example, {3}, Text::header) == crlf("Subject: three\nContent-Type: multipart/mixed; boundary=b\n\n"));
  CHECK(*section(example, {3}, Text::header) + *section(example, {3}, Text::text) == *whole({3}));
  CHECK(section(example, {4, 2}, Text::header_fields, {"subject"}) == crlf("Subject: four\n\n"));
  CHECK(section(example, {}, Text::header_fields_not, {"SUBJECT"}) ==
        crlf("Content-Type: multipart/mixed; boundary=a\n\n"));
  CHECK(section(example, {4, 1}, Text::mime) == crlf("Content-Type: image/gif\n\n"));
  CHECK(section(example, {4, 2}, Text::mime) == crlf("Content-Type: message/rfc822\n\n"));
  CHECK(section(example, {1}, Text::mime) == crlf("\n"));
}

TEST_CASE("what the message does not have is nothing") {
  using Text = Section::Text;
  for (const std::vector<std::uint32_t>& part :
       std::vector<std::vector<std::uint32_t>>{{0}, {5}, {1, 1}, {3, 3}, {4, 2, 2, 3}, {4294967295}, {2, 1}}) {
    CHECK(section(example, part, Text::whole) == std::nullopt);
  }
  CHECK(section(example, {1}, Text::header) == std::nullopt);
  CHECK(section(example, {1}, Text::text) == std::nullopt);
  CHECK(section(example, {}, Text::mime) == std::nullopt);
}

TEST_CASE("a message without parts has part 1, which is its body") {
  using Text = Section::Text;
  const std::string message = crlf("Subject: x\n\nbody\n");
  CHECK(section(message, {1}, Text::whole) == "body\r\n");
  CHECK(section(message, {1}, Text::mime) == "Subject: x\r\n\r\n");
  CHECK(section(message, {2}, Text::whole) == std::nullopt);
  CHECK(section(message, {1, 1}, Text::whole) == std::nullopt);
}

TEST_CASE("a message that is itself a message has the inner one in part 1") {
  using Text = Section::Text;
  const std::string message = crlf("Subject: out\nContent-Type: message/rfc822\n\nSubject: in\n\nbody\n");
  CHECK(section(message, {1}, Text::whole) == crlf("Subject: in\n\nbody\n"));
  CHECK(section(message, {1}, Text::header) == crlf("Subject: in\n\n"));
  CHECK(section(message, {1}, Text::text) == "body\r\n");
  CHECK(section(message, {1, 1}, Text::whole) == "body\r\n");
  CHECK(section(message, {1, 2}, Text::whole) == std::nullopt);
}

TEST_CASE("BINARY finds the part whose encoding it has to undo") {
  const Part root = parse_structure(example);
  const std::vector<std::uint32_t> path = {4, 1};
  REQUIRE(find_part(root, path) != nullptr);
  CHECK(find_part(root, path)->type == "image");
  CHECK(find_part(root, {}) == &root);
}
