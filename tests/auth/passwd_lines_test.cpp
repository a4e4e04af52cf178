#include "auth/passwd_lines.h"

#include <doctest/doctest.h>

#include "auth/limits.h"
#include "auth/user_name.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

std::string bcrypt() { return "$2y$05$XYL5XWRmLRipit2lE0oHxebma/xzR/yWFbdPBUnnjz4tFSWWAg3N2"; }

const PasswdEntry* entry(const PasswdTable& table, std::string_view name) {
  const auto found = table.entries.find(user_key(name));
  return found == table.entries.end() ? nullptr : &found->second;
}

}  // namespace

TEST_CASE("lines as Dovecot reads them are taken in, whatever stands in the fields that mean nothing here") {
  const PasswdTable table = read_passwd_lines(
      "# users\n"
      "\n"
      "   \t\n"
      "alice:{PLAIN}secret:1000:1000:Alice A.:/home/alice:/bin/sh:userdb_mail=maildir:~/Maildir nologin_not=1\n"
      "Bob@Example.ORG:{SCRAM-SHA-256}4096,Xky8S83hWYQQWRx+Faj6QQ==,sprVmi8us/p9duTvZ9UJYLyA6B+wdg8/1nhlR65s+G0=,"
      "rUF7XTCZC/2PGoDoPhaSY7Ungv5Th1MiToYzJKTgVDc=::::::\r\n"
      "carol:" +
      bcrypt() +
      "\n"
      "dave:{PLAIN}last line without an end:");
  CHECK(table.problems.empty());
  CHECK(table.entries.size() == 4);
  REQUIRE(entry(table, "ALICE") != nullptr);
  CHECK(entry(table, "alice")->user.enabled);
  CHECK(to_text(entry(table, "alice")->verifiers.at(0)).reveal() == "{PLAIN}secret");
  REQUIRE(entry(table, "bob@example.org") != nullptr);
  CHECK(entry(table, "bob@example.org")->user.name == "Bob@example.org");
  CHECK(entry(table, "carol")->verifiers.at(0).scheme == Scheme::crypt);
  CHECK(entry(table, "dave")->verifiers.at(0).hash.reveal() == "last line without an end");
  CHECK_FALSE(table.all_have_keys);  // carol's password is nowhere
}

TEST_CASE("whoever is locked or has nologin is a user who gets mail and cannot log in") {
  const PasswdTable table = read_passwd_lines(
      "empty::\nstar:*:\nbang:!$6$x:\nshadow:x:\nnologin:{PLAIN}x::::::nologin\nflag:{PLAIN}x::::::a=b nologin=y c\n"
      "open:::::::nopassword\nboth:{PLAIN}x::::::nopassword\n");
  CHECK(table.entries.size() == 8);
  for (const char* name : {"empty", "star", "bang", "shadow", "open", "both"}) {
    CAPTURE(name);
    REQUIRE(entry(table, name) != nullptr);
    CHECK(entry(table, name)->verifiers.empty());
  }
  CHECK_FALSE(entry(table, "nologin")->user.enabled);
  CHECK_FALSE(entry(table, "flag")->user.enabled);
  REQUIRE(table.problems.size() == 2);  // nopassword is told
  CHECK(table.problems[0].line == 7);
  CHECK(table.all_have_keys);
}

TEST_CASE("malformed lines are told by number, without the hash, and concern nobody else") {
  const PasswdTable table = read_passwd_lines(
      "good:{PLAIN}one\n"
      "nocolon\n"
      ":{PLAIN}noname\n"
      "bad/name:{PLAIN}x\n"
      "scheme:{ROT13}s3cret-hash\n"
      "hash:{SHA256}s3cret-hash\n"
      "crypt:s3cret-hash\n"
      "costly:{CRYPT}$2y$31$s3cret-hash\n"
      "GOOD:{PLAIN}two\n" +
      std::string(passwd_line_octets_max + 1, 'l') + ":{PLAIN}x\n" + "\xFF:{PLAIN}x\nlast:{PLAIN}x\n");
  std::vector<std::size_t> lines;
  for (const PasswdTable::Problem& problem : table.problems) {
    lines.push_back(problem.line);
    CHECK_FALSE(problem.text.empty());
    CHECK(problem.text.find("s3cret") == std::string::npos);
  }
  CHECK(lines == std::vector<std::size_t>{2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(table.entries.size() == 2);
  CHECK(entry(table, "good")->verifiers.at(0).hash.reveal() == "one");
  CHECK(entry(table, "last") != nullptr);
}

TEST_CASE("a file of which everybody has SCRAM keys or a plain password can supply keys, an empty one too") {
  CHECK(read_passwd_lines("").all_have_keys);
  CHECK(read_passwd_lines("a:{PLAIN}x\nb:*\n").all_have_keys);
  CHECK_FALSE(read_passwd_lines("a:{PLAIN}x\nb:" + bcrypt() + "\n").all_have_keys);
  CHECK(read_passwd_lines("b:" + bcrypt() + "::::::nologin\n").all_have_keys);
  const std::string sha_1 =
      "c:{SCRAM-SHA-1}4096,AAECAwQFBgcICQoLDA0ODw==,k2mo6g/YEimUfSQkXUweIwjUsy4=,V+eypAEUPHEsCZSxiYEx6i0GasE=\n";
  CHECK(read_passwd_lines("a:{PLAIN}x\n" + sha_1).all_have_sha_1_keys);
  CHECK_FALSE(read_passwd_lines(sha_1).all_have_keys);
  CHECK_FALSE(read_passwd_lines("b:" + bcrypt() + "\n").all_have_sha_1_keys);
}
