#include "auth/password_hash.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "auth/scram_keys.h"
#include "protocol/base/base64.h"
#include "tests/auth/cheap_hashes.h"

using namespace postkeep;
using namespace postkeep::auth;

using test::cheap;

namespace {

void counting_octets(std::span<unsigned char> out) {
  unsigned char next = 0;
  for (unsigned char& octet : out) octet = ++next;
}

std::vector<Verifier> made(std::string password, std::optional<Scheme> scheme = std::nullopt) {
  return make_verifiers(Secret(std::move(password)), scheme, cheap()).value();
}

}  // namespace

TEST_CASE("setting a password makes an ARGON2ID and a SCRAM-SHA-256 verifier, and each knows it again") {
  const std::vector<Verifier> verifiers = made("correct horse");
  REQUIRE(verifiers.size() == 2);
  CHECK(verifiers[0].scheme == Scheme::argon2id);
  CHECK(verifiers[0].hash.reveal().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
  CHECK(verifiers[1].scheme == Scheme::scram_sha_256);
  for (const Verifier& verifier : verifiers) {
    CHECK(verify_password(Secret("correct horse"), verifier).value());
    CHECK_FALSE(verify_password(Secret("correct hors"), verifier).value());
    CHECK_FALSE(verify_password(Secret("correct horse "), verifier).value());
    CHECK_FALSE(verify_password(Secret(""), verifier).value());
  }
}

TEST_CASE("two users with one password have different hashes") {
  CHECK(made("same")[0].hash.reveal() != made("same")[0].hash.reveal());
  CHECK(made("same")[1].hash.reveal() != made("same")[1].hash.reveal());
}

TEST_CASE("the PLAIN scheme keeps the password and nothing else") {
  const std::vector<Verifier> verifiers = made("open", Scheme::plain);
  REQUIRE(verifiers.size() == 1);
  CHECK(to_text(verifiers[0]).reveal() == "{PLAIN}open");
  CHECK(verify_password(Secret("open"), verifiers[0]).value());
  CHECK_FALSE(verify_password(Secret("open2"), verifiers[0]).value());
  CHECK_FALSE(verify_password(Secret("ope"), verifiers[0]).value());
}

TEST_CASE("a verifier survives being written and read") {
  for (const std::optional<Scheme> scheme : {std::optional<Scheme>(), std::optional(Scheme::plain)}) {
    for (const Verifier& verifier : made("p\xC3\xA4ssword}{$", scheme)) {
      const Verifier again = verifier_from_text(to_text(verifier).reveal()).value();
      CHECK(again.scheme == verifier.scheme);
      CHECK(again.hash.reveal() == verifier.hash.reveal());
    }
  }
}

TEST_CASE("the SCRAM-SHA-256 keys are those of the example in RFC 7677") {
  // RFC 7677 §3: user "user", password "pencil"; the server's signature there follows from these keys.
  const std::string salt = base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  CHECK(to_text(derive_scram_keys(Secret("pencil"), salt, 4096)) ==
        "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST_CASE("SCRAM-SHA-256 keys in PostgreSQL's form are the same keys") {
  const auto verifier = verifier_from_text(
      "{SCRAM-SHA-256}$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  REQUIRE(verifier.has_value());
  CHECK(verifier->hash.reveal().starts_with("4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d"));
  CHECK(verify_password(Secret("pencil"), *verifier).value());
}

TEST_CASE("hashing is repeatable when the salt is") {
  const auto first = make_verifiers(Secret("x"), std::nullopt, cheap(), counting_octets).value();
  const auto second = make_verifiers(Secret("x"), std::nullopt, cheap(), counting_octets).value();
  CHECK(first[0].hash.reveal() == second[0].hash.reveal());
  CHECK(first[1].hash.reveal() == second[1].hash.reveal());
}

TEST_CASE("a password is the same however its letters are composed, and full width is not another") {
  const std::vector<Verifier> verifiers = made("caf\xC3\xA9");           // é as one code point
  CHECK(verify_password(Secret("cafe\xCC\x81"), verifiers[0]).value());  // e and an accent
  CHECK(verify_password(Secret("cafe\xCC\x81"), verifiers[1]).value());
  CHECK(verify_password(Secret("\xEF\xBD\x83"
                               "af\xC3\xA9"),
                        verifiers[0])
            .value());  // fullwidth c
}

TEST_CASE("an emoji in a password works though Unicode 3.2 did not have it") {
  CHECK(verify_password(Secret("\xF0\x9F\xA6\x84"), made("\xF0\x9F\xA6\x84")[0]).value());
}

TEST_CASE("passwords that cannot be typed again everywhere are refused when set and fit nothing") {
  for (const std::string& bad :
       {std::string(), std::string("\xFF\xFE"), std::string("a\nb"), std::string("a\0b", 3), std::string(2000, 'x')}) {
    const auto refused = make_verifiers(Secret(bad), std::nullopt, cheap());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::cannot);
    CHECK_FALSE(verify_password(Secret(bad), made("good")[0]).value());
  }
}

TEST_CASE("a malformed or too costly ready-made hash is refused with a reason") {
  const std::string salt_and_hash = "$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";
  for (const std::string& bad :
       {std::string(), std::string("secret"), std::string("{PLAIN"), std::string("{PLAIN}"), std::string("{ROT13}x"),
        std::string("{ARGON2ID}x"), "{ARGON2ID}$argon2i$v=19$m=64,t=1,p=1" + salt_and_hash,
        "{ARGON2ID}$argon2id$v=19$m=99999999,t=1,p=1" + salt_and_hash,
        "{ARGON2ID}$argon2id$v=19$m=64,t=1000,p=1" + salt_and_hash,
        "{ARGON2ID}$argon2id$v=19$m=64,t=0,p=1" + salt_and_hash, "{ARGON2ID}$argon2id$v=19$m=64,t=1" + salt_and_hash,
        std::string("{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1$short$x"), std::string("{SCRAM-SHA-256}$1:c2FsdA==$x:y"),
        std::string("{SCRAM-SHA-256}$4096:c2FsdA==$x:y"), std::string("{SCRAM-SHA-256}4096:c2FsdA==")}) {
    CAPTURE(bad);
    const auto refused = verifier_from_text(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::cannot);
    CHECK_FALSE(refused.error().text.empty());
  }
  CHECK(verifier_from_text("{argon2id}$argon2id$v=19$m=64,t=1,p=1" + salt_and_hash).has_value());
}

TEST_CASE("a hash that libargon2 cannot read is corruption, not a wrong password") {
  Verifier damaged{Scheme::argon2id, Secret("$argon2id$v=19$m=64,t=1,p=1$????$????")};
  CHECK(verify_password(Secret("x"), damaged).error().kind == ErrorKind::corruption);
  damaged = Verifier{Scheme::scram_sha_256, Secret("$4096:")};
  CHECK(verify_password(Secret("x"), damaged).error().kind == ErrorKind::corruption);
}
