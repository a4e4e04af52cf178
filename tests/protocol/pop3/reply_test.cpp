#include "protocol/pop3/reply.h"

#include <doctest/doctest.h>

using namespace postkeep::pop3;

namespace {

std::string ok(std::string_view text) {
  std::string out;
  write_ok(out, text);
  return out;
}
std::string error(std::string_view code, std::string_view text) {
  std::string out;
  write_error(out, code, text);
  return out;
}

}  // namespace

TEST_CASE("a POP3 reply is a status, a code where there is one, and a text") {
  CHECK(ok("2 320") == "+OK 2 320\r\n");
  CHECK(ok("") == "+OK\r\n");
  CHECK(error("", "No such message") == "-ERR No such message\r\n");
  CHECK(error("SYS/TEMP", "Try again") == "-ERR [SYS/TEMP] Try again\r\n");
  CHECK(error("AUTH", "") == "-ERR [AUTH]\r\n");
}

TEST_CASE("nothing in a text can end the line, pass for a code or exceed 512 octets") {
  CHECK(ok("a\r\n.\r\nb\x01\xC3\xA9") == "+OK a??.??b???\r\n");
  CHECK(error("", "[AUTH] not ours") == "-ERR AUTH] not ours\r\n");
  CHECK(error("", "[[[AUTH] not ours") == "-ERR AUTH] not ours\r\n");
  CHECK(error("", "[[") == "-ERR\r\n");
  CHECK(error("AUTH", "[x]") == "-ERR [AUTH] [x]\r\n");
  CHECK(ok(std::string(1000, 'x')).size() == reply_line_octets_max);
  CHECK(error("SYS/PERM", std::string(1000, 'x')).size() == reply_line_octets_max);
  CHECK(ok(std::string(1000, 'x')).ends_with("x\r\n"));
}

TEST_CASE("challenges and listings") {
  std::string out;
  write_challenge(out, "");
  write_challenge(out, "dGVzdA==");
  write_listing(out, 7, "320");
  write_end(out);
  CHECK(out == "+ \r\n+ dGVzdA==\r\n7 320\r\n.\r\n");
}
