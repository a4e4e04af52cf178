#include <doctest/doctest.h>

#include <algorithm>

#include "auth/limits.h"
#include "auth/mechanisms.h"
#include "auth/scram_keys.h"
#include "protocol/base/base64.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

// RFC 7677 §3
constexpr const char* client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

std::string server_nonce() { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"; }

KeyAnswer keys_of_user(Result<Identity> if_proven = Identity{"user", false, {}}) {
  KeyAnswer answer;
  answer.keys = derive_scram_keys(Secret("pencil"), base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value(), 4096);
  answer.if_proven = std::move(if_proven);
  answer.if_wrong = "wrong password";
  return answer;
}

// The reason of a refusal; "" if the step is something else.
std::string refusal(const Step& step) {
  const auto* refused = std::get_if<Refusal>(&step);
  return refused == nullptr ? "" : refused->error.text;
}
ErrorKind kind(const Step& step) { return std::get<Refusal>(step).error.kind; }

std::string after_first(std::string_view message) { return refusal(make_scram_sha_256(server_nonce)->step(message)); }

// The last message's answer in an exchange that began as in the RFC.
Step after_final(std::string_view message, KeyAnswer answer = keys_of_user(), std::string_view first = client_first) {
  const auto scram = make_scram_sha_256(server_nonce);
  REQUIRE(std::holds_alternative<KeyRequest>(scram->step(first)));
  REQUIRE(std::holds_alternative<Challenge>(scram->supply(std::move(answer))));
  return scram->step(message);
}

}  // namespace

TEST_CASE("the exchange of RFC 7677 goes as it stands there") {
  const auto scram = make_scram_sha_256(server_nonce);
  const Step wanted = scram->step(client_first);
  REQUIRE(std::holds_alternative<KeyRequest>(wanted));
  CHECK(std::get<KeyRequest>(wanted).login == "user");
  CHECK(std::get<KeyRequest>(wanted).authorization.empty());
  const Step first = scram->supply(keys_of_user());
  CHECK(std::get<Challenge>(first).bytes ==
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const Step last = scram->step(client_final);
  REQUIRE(std::holds_alternative<Challenge>(last));
  CHECK(std::get<Challenge>(last).bytes == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  const Step end = scram->step("");
  REQUIRE(std::holds_alternative<Proven>(end));
  CHECK(std::get<Proven>(end).identity.user == "user");
}

TEST_CASE("a client's last message must be empty") {
  const auto scram = make_scram_sha_256(server_nonce);
  scram->step(client_first);
  scram->supply(keys_of_user());
  scram->step(client_final);
  CHECK(kind(scram->step("more")) == ErrorKind::bad_syntax);
}

TEST_CASE("channel binding is refused where it is asked for and accepted where it is only possible") {
  CHECK_FALSE(after_first("p=tls-unique,,n=user,r=abc").empty());
  CHECK_FALSE(after_first("p=tls-exporter,,n=user,r=abc").empty());
  CHECK(after_first("y,,n=user,r=abc").empty());
  CHECK(after_first("n,,n=user,r=abc").empty());
  CHECK(after_first("n,a=user,n=user,r=abc").empty());
  // What came first must come again: "eSws" is y,, and "biws" is n,,
  std::string changed = client_final;
  changed.replace(changed.find("biws"), 4, "eSws");
  CHECK(kind(after_final(changed)) == ErrorKind::bad_syntax);
  CHECK(kind(after_final(client_final, keys_of_user(), "y,,n=user,r=rOprNGfwEbeRWgbNEkqO")) == ErrorKind::bad_syntax);
}

TEST_CASE("names are unescaped, and malformed first messages refused") {
  const auto scram = make_scram_sha_256(server_nonce);
  const Step step = scram->step("n,a=o=3Dther,n=a=2Cb=3Dc,r=abc,x=extension");
  REQUIRE(std::holds_alternative<KeyRequest>(step));
  CHECK(std::get<KeyRequest>(step).login == "a,b=c");
  CHECK(std::get<KeyRequest>(step).authorization == "o=ther");
  for (const std::string& bad : {std::string(),
                                 std::string("n"),
                                 std::string("n,"),
                                 std::string("n,,"),
                                 std::string("x,,n=user,r=abc"),
                                 std::string("n,,n=,r=abc"),
                                 std::string("n,,n=user"),
                                 std::string("n,,n=user,r="),
                                 std::string("n,,r=abc,n=user"),
                                 std::string("n,,m=x,n=user,r=abc"),
                                 std::string("n,,n=us=er,r=abc"),
                                 std::string("n,,n=us=2c,r=abc"),
                                 std::string("n,,n=user=,r=abc"),
                                 std::string("n,a=,n=user,r=abc"),
                                 std::string("n,user,n=user,r=abc"),
                                 std::string("n,,n=\xFF,r=abc"),
                                 std::string("n,,n=us\0er,r=abc", 16),
                                 std::string("n,,n=user,r=a c"),
                                 std::string("n,,n=user,r=\xC3\xA4"),
                                 "n,,n=user,r=" + std::string(scram_nonce_octets_max + 1, 'a')}) {
    CAPTURE(bad);
    CHECK_FALSE(after_first(bad).empty());
  }
}

TEST_CASE("a proof is refused when anything in it or of what it was made differs") {
  const auto failed = [](std::string from, std::string to) {
    std::string message = client_final;
    message.replace(message.find(from), from.size(), to);
    return kind(after_final(message));
  };
  CHECK(failed("p=dHz", "p=eHz") == ErrorKind::authentication_failed);
  CHECK(failed(",p=", ",x=1,p=") == ErrorKind::authentication_failed);  // an extension is signed, too
  CHECK(failed("k0,", "k1,") == ErrorKind::bad_syntax);
  CHECK(failed("r=rO", "r=RO") == ErrorKind::bad_syntax);
  CHECK(failed("AndVQ=", "") == ErrorKind::bad_syntax);
  CHECK(failed("p=", "q=") == ErrorKind::bad_syntax);
  CHECK(kind(after_final("")) == ErrorKind::bad_syntax);
  CHECK(kind(after_final(",p=")) == ErrorKind::bad_syntax);
}

TEST_CASE("a right proof is worth what the look-up said") {
  const Step disabled = after_final(client_final, keys_of_user(tl::unexpected<Error>(wrong_login("disabled"))));
  const Step wrong = after_final(std::string(client_final).replace(70, 1, "A"));
  CHECK(kind(disabled) == ErrorKind::authentication_failed);
  CHECK(std::get<Refusal>(disabled).error.detail == "disabled");
  CHECK(refusal(disabled) == refusal(wrong));
  CHECK(std::get<Refusal>(wrong).error.detail == "wrong password");
}

TEST_CASE("nonces are printable, without comma, and never the same") {
  const std::string one = random_nonce(), other = random_nonce();
  CHECK(one.size() >= 24);
  CHECK(one != other);
  CHECK(std::ranges::all_of(one, [](char c) { return c >= '!' && c <= '~' && c != ','; }));
}

TEST_CASE("made-up keys depend on secret and name alone and look like others") {
  const ScramKeys one = made_up_scram_keys(Secret("secret"), "alice", 4096);
  const ScramKeys again = made_up_scram_keys(Secret("secret"), "alice", 4096);
  CHECK(to_text(one) == to_text(again));
  CHECK(one.salt.size() == scram_salt_octets);
  CHECK(made_up_scram_keys(Secret("secret"), "bob", 4096).salt != one.salt);
  CHECK(made_up_scram_keys(Secret("other"), "alice", 4096).salt != one.salt);
  CHECK(scram_keys_from_text(to_text(one)).has_value());
}
