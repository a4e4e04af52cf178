#include "auth/schemes.h"

#include <doctest/doctest.h>

#include <set>

#include "auth/limits.h"
#include "tests/auth/cheap_hashes.h"

using namespace postkeep;
using namespace postkeep::auth;

using test::cheap;

namespace {

constexpr const char* the_password = "p\xC3\xA4ssword";

bool fits(std::string_view given, std::string_view text) {
  const Result<Verifier> verifier = verifier_from_text_or_crypt(text);
  REQUIRE(verifier.has_value());
  return verify_password(Secret(std::string(given)), *verifier).value();
}

// What other programs made of the password above: `doveadm pw` of Dovecot 2.3.19 and crypt(3).
struct Vector {
  Scheme scheme;
  const char* text;
};
const Vector vectors[] = {
    {Scheme::argon2id,
     "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$PdKq7XU5fOid849RXa3OHg$dzrtWW8WvHgZ6or+8XE75t+BWB0dmn+r6UrDmUGsobM"},
    {Scheme::argon2i,
     "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$TOOBAVky0Iskf6DWEWEliQ$/wnoz7DC7XozObDjh+zidZYPON2yiy7zKtZBh2rgjVs"},
    {Scheme::scram_sha_256,
     "{SCRAM-SHA-256}4096,Xky8S83hWYQQWRx+Faj6QQ==,sprVmi8us/p9duTvZ9UJYLyA6B+wdg8/1nhlR65s+G0=,"
     "rUF7XTCZC/2PGoDoPhaSY7Ungv5Th1MiToYzJKTgVDc="},
    {Scheme::scram_sha_1,
     "{SCRAM-SHA-1}4096,AAECAwQFBgcICQoLDA0ODw==,k2mo6g/YEimUfSQkXUweIwjUsy4=,V+eypAEUPHEsCZSxiYEx6i0GasE="},
    {Scheme::crypt, "{CRYPT}$2y$05$XYL5XWRmLRipit2lE0oHxebma/xzR/yWFbdPBUnnjz4tFSWWAg3N2"},
    {Scheme::crypt, "$2y$05$XYL5XWRmLRipit2lE0oHxebma/xzR/yWFbdPBUnnjz4tFSWWAg3N2"},
    {Scheme::crypt, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$uDe9DzkRaoLcpK3XsX1COmq9ojeDZPPU7hopiHbrFR8"},
    {Scheme::crypt, "$2b$05$abcdefghijklmnopqrstuucZGbUxuMlEqps0qcu2pjhO7vaatQZIC"},
    {Scheme::crypt, "$2a$05$abcdefghijklmnopqrstuucZGbUxuMlEqps0qcu2pjhO7vaatQZIC"},
    {Scheme::crypt,
     "$6$rounds=10000$salt$jf/tKxyLpWe0c0IhVPYaLY/ALsAfiYLtPT1wQ/fFjkghm6nh4cDRywcw6dVH7rrcQVi7yNMU4bnrkNYB.SsCz."},
    {Scheme::sha512_crypt,
     "{SHA512-CRYPT}$6$1IuvYucm9we7vTFZ$m2oFVKZf2YSf4Zn/oxjF2Ddg88xn8cwEacH7j7CNK0db8GJAakym8sLogKFtgh0Qajq4ZN8sjkE77e"
     "P0XuMVd1"},
    {Scheme::sha256_crypt, "{SHA256-CRYPT}$5$VsxAzvQUDmyT6V64$5XsfbjaRVjdKxW9jsucDEcOvs/3e6bX26A/5Ae4IYFA"},
    {Scheme::blf_crypt, "{BLF-CRYPT}$2y$05$5kmPxgXFhLp11PEmqWTsqexkBZrcgLkLUTreE8orfe6ArARlvh8CC"},
    {Scheme::md5_crypt, "{MD5-CRYPT}$1$hlPmyDK3$LKy.VSKHy.fcVXF.LDXMH/"},
    {Scheme::ssha512,
     "{SSHA512}nxvShPt52+PJsrK/7F9XG4GhbrtNGnc3PCJd1PFWt+eY1KmlEbD63FrK+WomI+pyB5bRCrHth0w3h8dBude84JH951A="},
    {Scheme::ssha512,
     "{SSHA512.HEX}e7fb34bf0fdba05d9408a11ee5928e5a3aa3b56c1e27d099da107b4d482c3e404361d78184fde795ea1e338fe42164f95632"
     "f10ffe00021b4c97a66f5e26239452075a66"},
    {Scheme::ssha256, "{SSHA256}I0NGqiLXwbnjphOyCHLCZ/NxgRq0+ZBFLpHlKIrThzJn5Kiy"},
    {Scheme::ssha, "{SSHA}imd0KXEwUkMBrHBUlLB8YY7FxwIGy3A5"},
    {Scheme::sha512,
     "{SHA512}KF3icbSeAO9oGc8Ku/AxXpfCXLo2FhZ8dw78Umxki03hH0sA3HH67TOjEse6g2kNPtFKqq32tiKqSJlv8H7IpA=="},
    {Scheme::sha256, "{SHA256}NHgme1YSeRtAmIkGs6eJfrarUB4EuV7TL5nQr99mnZw="},
    {Scheme::sha256, "{SHA256.B64}NHgme1YSeRtAmIkGs6eJfrarUB4EuV7TL5nQr99mnZw="},
    {Scheme::sha256, "{SHA256.HEX}3478267b5612791b40988906b3a7897eb6ab501e04b95ed32f99d0afdf669d9c"},
    {Scheme::sha256, "{sha256}3478267b5612791b40988906b3a7897eb6ab501e04b95ed32f99d0afdf669d9c"},
    {Scheme::sha, "{SHA}I7dElEdfX4dJgLdnbVEeI9iG2mQ="},
    {Scheme::sha, "{SHA1}I7dElEdfX4dJgLdnbVEeI9iG2mQ="},
    {Scheme::plain, "{PLAIN.B64}cMOkc3N3b3Jk"},
    {Scheme::plain, "{PLAIN.HEX}70c3a47373776f7264"},
    {Scheme::plain, "{CLEARTEXT}p\xC3\xA4ssword"},
};

}  // namespace

TEST_CASE("what Dovecot and crypt(3) made is read and knows its password") {
  std::set<Scheme> covered;
  for (const Vector& vector : vectors) {
    CAPTURE(vector.text);
    const Result<Verifier> verifier = verifier_from_text_or_crypt(vector.text);
    REQUIRE(verifier.has_value());
    CHECK(verifier->scheme == vector.scheme);
    covered.insert(verifier->scheme);
    CHECK(verify_password(Secret(the_password), *verifier).value());
    CHECK_FALSE(verify_password(Secret("password"), *verifier).value());
    const Result<Verifier> again = verifier_from_text(to_text(*verifier).reveal());
    REQUIRE(again.has_value());
    CHECK(again->hash.reveal() == verifier->hash.reveal());
  }
  CHECK(covered.size() == schemes().size());  // a new row wants a vector
}

TEST_CASE("a password kept by any scheme that can be made is known again, and its hash has no colon") {
  for (const SchemeRow& row : schemes()) {
    CAPTURE(row.name);
    const auto made = make_verifiers(Secret(the_password), row.scheme, cheap());
    CHECK(made.has_value() == (row.make != nullptr));
    if (!made) {
      CHECK(made.error().kind == ErrorKind::cannot);
      CHECK(made.error().text.find("SHA512-CRYPT") != std::string::npos);
      continue;
    }
    REQUIRE(made->size() == 1);
    const Secret text = to_text(made->front());
    CHECK(text.reveal().find(':') == std::string_view::npos);
    CHECK(fits(the_password, text.reveal()));
    CHECK_FALSE(fits("passwort", text.reveal()));
    const auto other = make_verifiers(Secret(the_password), row.scheme, cheap()).value();
    CHECK((other.front().hash.reveal() == made->front().hash.reveal()) == (row.scheme == Scheme::plain));
  }
}

TEST_CASE("a password that was hashed as it was typed fits though its prepared form is another") {
  CHECK(fits("E\xC2\xB2", "$1$abcdefgh$Rs.uWouP0woUoeo54Wylj0"));  // ², of which SASLprep makes 2
  CHECK_FALSE(fits("E2", "$1$abcdefgh$Rs.uWouP0woUoeo54Wylj0"));
}

TEST_CASE("hashes that are malformed or would cost too much are refused, and the reason has nothing of them") {
  const std::string encoded43(43, 'a'), encoded86(86, 'a'), encoded53(53, 'a'), encoded22(22, 'a');
  for (const std::string& bad :
       {std::string("{CRYPT}"),
        std::string("{CRYPT}abJnggxhB/yWI"),
        std::string("abJnggxhB/yWI"),
        std::string("{CRYPT}_J9..K0AyUubWEkfX9Eo"),
        std::string("{CRYPT}$6$rounds=5000"),
        std::string("{CRYPT}$2y$"),
        std::string("{CRYPT}$y$j9T"),
        std::string("{CRYPT}$1$"),
        "{CRYPT}$3$" + encoded22,
        "{MD5-CRYPT}$6$salt$" + encoded86,
        "{SHA512-CRYPT}$5$salt$" + encoded43,
        "{CRYPT}$6$" + encoded86,
        "{CRYPT}$6$salt$" + encoded43,
        "{CRYPT}$6$rounds=999999999$salt$" + encoded86,
        "{CRYPT}$6$rounds=x$salt$" + encoded86,
        "{CRYPT}$6$rounds=$salt$" + encoded86,
        "{CRYPT}$5$rounds=1000001$salt$" + encoded43,
        "{CRYPT}$5$a:b$" + encoded43,
        "{CRYPT}$2y$15$" + encoded53,
        "{CRYPT}$2y$31$" + encoded53,
        "{CRYPT}$2y$5$" + encoded53,
        "{CRYPT}$2x$05$" + encoded53,
        "{CRYPT}$2y$05$" + encoded22,
        "{CRYPT}$1$salt$" + encoded43,
        "{CRYPT}$1$toolongsalt$" + encoded22,
        "{CRYPT}$y$jFT$salt$" + encoded43,
        "{CRYPT}$y$j9z$salt$" + encoded43,
        "{CRYPT}$y$jzT$salt$" + encoded43,
        "{CRYPT}$y$j9T0$salt$" + encoded43,
        "{CRYPT}$y$j9T$sa!lt$" + encoded43,
        "{CRYPT}$y$j9T$salt$" + encoded22,
        std::string("{SHA256}c2hvcnQ="),
        std::string("{SSHA256}NHgme1YSeRtAmIkGs6eJfrarUB4EuV7TL5nQr99mnZw="),
        std::string("{SHA.HEX}zz"),
        std::string("{SHA.HEX}abc"),
        std::string("{SHA.ROT13}abcd"),
        std::string("{SHA.B64}????"),
        std::string("{ARGON2I}$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21l$RdescudvJCsgt3ub+b4dWRWJTmaaJObG"),
        std::string("{NT}abc"),
        std::string("{}abc"),
        "{PLAIN}" + std::string(verifier_octets_max, 'x')}) {
    CAPTURE(bad);
    const Result<Verifier> refused = verifier_from_text_or_crypt(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::cannot);
    CHECK_FALSE(refused.error().text.empty());
    CHECK(refused.error().text.find("aaa") == std::string::npos);
  }
  CHECK(verifier_from_text("{CRYPT}$y$jDT$salt$" + encoded43).has_value());  // 256 MiB
  CHECK(verifier_from_text("{CRYPT}$6$rounds=1000000$salt$" + encoded86).has_value());
  CHECK(verifier_from_text("{BLF-CRYPT}$2b$14$" + encoded53).has_value());
}

TEST_CASE("a password longer than crypt(3) takes is wrong, not an error") {
  CHECK_FALSE(fits(std::string(600, 'x'), "$1$hlPmyDK3$LKy.VSKHy.fcVXF.LDXMH/"));
}

TEST_CASE("the cheapest kinds of work come first, and each scheme is found by its name and alias") {
  CHECK(Work::trifling < Work::argon2);
  for (const SchemeRow& row : schemes()) {
    CHECK(scheme_from_string(row.name) == row.scheme);
    if (!row.alias.empty()) CHECK(scheme_from_string(row.alias) == row.scheme);
    CHECK_FALSE(row.doc.empty());
  }
  CHECK_FALSE(scheme_from_string("").has_value());
  CHECK(makeable_schemes().starts_with("ARGON2ID, SCRAM-SHA-256, PLAIN, CRYPT"));
}
