#include "protocol/lmtp/path.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::lmtp;

namespace {
// "local|domain|rest", or "!" and the reason.
std::string read(std::string_view text, NullPath null_path = NullPath::allowed, Utf8Path utf8 = Utf8Path::refused) {
  const auto path = take_path(text, null_path, utf8);
  if (!path) return "!";
  return path->local_part + "|" + path->domain + "|" + std::string(text);
}
}  // namespace

TEST_CASE("paths are read as RFC 5321 writes them, and as clients do") {
  CHECK(read("<user@example.org>") == "user|example.org|");
  CHECK(read("<user@example.org> SIZE=1") == "user|example.org| SIZE=1");
  CHECK(read("user@example.org SIZE=1") == "user|example.org| SIZE=1");
  CHECK(read("<user>") == "user||");
  CHECK(read("<Postmaster>") == "Postmaster||");
  CHECK(read("<>") == "||");
  CHECK(read("<@a.example,@b.example:user@example.org>") == "user|example.org|");
  CHECK(read("<\"quoted user\\\"\"@example.org>") == "quoted user\"|example.org|");
  CHECK(read("<user+detail@example.org>") == "user+detail|example.org|");
  CHECK(read("<us..er.@example.org>") == "us..er.|example.org|");
  CHECK(read("<user@[192.0.2.1]>") == "user|[192.0.2.1]|");
  CHECK(read("<user@[IPv6:2001:db8::1]>") == "user|[IPv6:2001:db8::1]|");
  CHECK(read("<grüße@exämple.org>", NullPath::allowed, Utf8Path::allowed) == "grüße|exämple.org|");
}

TEST_CASE("what is no path is refused") {
  for (const char* text : {"", "<", "<@", "<user@>", "<@example.org>", "<user@example.org", "<user@exa mple.org>",
                           "<user@example..org>", "<user@.org>", "<\"open@example.org>", "<us\ter@example.org>",
                           "<user@[]>", "<user@[x>", "<user@example.org>x", "<@a:>", "<a b@c>", "<user@a@b>"}) {
    CAPTURE(text);
    CHECK(read(text) == "!");
  }
  CHECK(read("<>", NullPath::refused) == "!");
  CHECK(read("<grüße@example.org>") == "!");
  CHECK(read("<gr\xFC@example.org>", NullPath::allowed, Utf8Path::allowed) == "!");
  CHECK(read("<" + std::string(257, 'a') + "@example.org>") == "!");
  CHECK(read("<a@" + std::string(256, 'b') + ">") == "!");
  CHECK(read("<" + std::string(256, 'a') + "@" + std::string(255, 'b') + ">") != "!");
}

TEST_CASE("a path is written so that reading it gives the same path") {
  for (const char* text :
       {"<user@example.org>", "<\"a b\"@example.org>", "<\"a\\\\b\\\"c\">", "<user>", "<>", "<\".x\"@y>"}) {
    std::string_view in = text;
    const auto path = take_path(in, NullPath::allowed, Utf8Path::refused);
    REQUIRE(path.has_value());
    const std::string written = "<" + path->to_string() + ">";
    std::string_view again = written;
    const auto back = take_path(again, NullPath::allowed, Utf8Path::refused);
    REQUIRE(back.has_value());
    CHECK(*back == *path);
  }
}
