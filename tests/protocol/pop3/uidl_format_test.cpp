#include "protocol/pop3/uidl_format.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::pop3;
using test::must;

namespace {

std::string made(std::string_view format) {
  return must(UidlFormat::parse(format)).unique_id(Uid(0x2ab), UidValidity(0x65f1c3a2));
}

std::string refused(std::string_view format) {
  const Result<UidlFormat> parsed = UidlFormat::parse(format);
  if (parsed) return "";
  CHECK(parsed.error().kind == ErrorKind::cannot);
  return parsed.error().text;
}

}  // namespace

TEST_CASE("unique-ids are written as Dovecot writes them by the same format") {
  CHECK(made("%08Xu%08Xv") == "000002ab65f1c3a2");
  CHECK(made("%08Xv%08Xu") == "65f1c3a2000002ab");
  CHECK(made("%u") == "683");
  CHECK(made("%v.%u") == "1710343074.683");
  CHECK(made("%v-%u") == "1710343074-683");
  CHECK(made("%Xv:%Xu") == "65f1c3a2:2ab");
  CHECK(made("UID%u-%v") == "UID683-1710343074");
  CHECK(made("%05u") == "00683");
  CHECK(made("%02u") == "683");
  CHECK(made("100%%-%u") == "100%-683");
  CHECK(made("%{uid | hex(8)}%{uidvalidity | hex(8)}") == "000002ab65f1c3a2");
  CHECK(made("%{uidvalidity}.%{uid|hex}") == "1710343074.2ab");
}

TEST_CASE("without a format it is UID and UIDVALIDITY, eight hexadecimal digits each") {
  CHECK(UidlFormat().unique_id(Uid(0x2ab), UidValidity(0x65f1c3a2)) == made("%08Xu%08Xv"));
}

TEST_CASE("a format by which messages do not differ is refused") {
  CHECK(refused("") == "has no %u, by which messages differ");
  CHECK(refused("%v") == "has no %u, by which messages differ");
  CHECK(refused("%%u") == "has no %u, by which messages differ");
  CHECK(refused("%3u").find("cuts numbers off") != std::string::npos);
  CHECK(refused("%{uid | md5}") == "has a filter other than hex");
  CHECK(refused("%{uid | hex(8)x}") == "has a filter other than hex");
}

TEST_CASE("what is not to be had is named") {
  for (const std::string_view format : {"%f", "%u%g", "%m", "%08Xf"}) {
    CAPTURE(format);
    CHECK(refused(format).find("not to be had here") != std::string::npos);
  }
  CHECK(refused("%{guid}").find("%{guid}") != std::string::npos);
  CHECK(refused("%u%") == "ends within a variable");
  CHECK(refused("%08X") == "ends within a variable");
  CHECK(refused("%{uid") == "has %{ without }");
}

TEST_CASE("a unique-id is no longer than it may be, and has no characters that it may not have") {
  CHECK(made("%070u").size() == 70);
  CHECK(refused("%071u") == "makes more than 70 characters");
  CHECK(refused("%099999999999999999999u") == "makes more than 70 characters");
  CHECK(refused(std::string(61, 'x') + "%u") == "makes more than 70 characters");
  CHECK(refused("%u %v") == "has characters that a unique-id may not have");
  CHECK(refused("%u\x7F") == "has characters that a unique-id may not have");
  CHECK(refused("%u\xC3\xA9") == "has characters that a unique-id may not have");
}
