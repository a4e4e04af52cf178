#include <doctest/doctest.h>

#include <algorithm>

#include "auth/limits.h"
#include "auth/mechanisms.h"
#include "auth/scram_keys.h"
#include "protocol/base/base64.h"
#include "tests/support/scram_client.h"

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

std::string after_first(std::string_view message) {
  return refusal(make_scram(ScramHash::sha_256, {}, server_nonce)->step(message));
}

// The last message's answer in an exchange that began as in the RFC.
Step after_final(std::string_view message, KeyAnswer answer = keys_of_user(), std::string_view first = client_first) {
  const auto scram = make_scram(ScramHash::sha_256, {}, server_nonce);
  REQUIRE(std::holds_alternative<KeyRequest>(scram->step(first)));
  REQUIRE(std::holds_alternative<Challenge>(scram->supply(std::move(answer))));
  return scram->step(message);
}

}  // namespace

TEST_CASE("the exchange of RFC 7677 goes as it stands there") {
  const auto scram = make_scram(ScramHash::sha_256, {}, server_nonce);
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
  const auto scram = make_scram(ScramHash::sha_256, {}, server_nonce);
  scram->step(client_first);
  scram->supply(keys_of_user());
  scram->step(client_final);
  CHECK(kind(scram->step("more")) == ErrorKind::bad_syntax);
}

TEST_CASE("the exchange of RFC 5802 goes as it stands there") {
  const auto scram = make_scram(ScramHash::sha_1, {}, [] { return std::string("3rfcNHYJY1ZVvWVs7j"); });
  const Step wanted = scram->step("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  REQUIRE(std::holds_alternative<KeyRequest>(wanted));
  CHECK(std::get<KeyRequest>(wanted).hash == ScramHash::sha_1);
  KeyAnswer answer = keys_of_user();
  answer.keys = derive_scram_keys(Secret("pencil"), base64_decode("QSXCR+Q6sek8bf92").value(), 4096, ScramHash::sha_1);
  CHECK(std::get<Challenge>(scram->supply(answer)).bytes ==
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
  const Step last = scram->step("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  REQUIRE(std::holds_alternative<Challenge>(last));
  CHECK(std::get<Challenge>(last).bytes == "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
  CHECK(std::holds_alternative<Proven>(scram->step("")));
}

TEST_CASE("without -PLUS channel binding is refused where it is asked for and accepted where it is only possible") {
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

namespace {

ScramBinding required() {
  ScramBinding binding;
  binding.mode = ScramBinding::Mode::required;
  binding.bindings = {ChannelBinding{"tls-unique", "one"}, ChannelBinding{"tls-exporter", "two\xFF"}};
  return binding;
}

// What -PLUS answers when the client says that it is bound to `cbind` (header and data).
Step after_binding(const std::string& header, const std::string& cbind) {
  const auto scram = make_scram(ScramHash::sha_256, required(), server_nonce);
  const std::string bare = "n=user,r=abc";
  REQUIRE(std::holds_alternative<KeyRequest>(scram->step(header + bare)));
  const KeyAnswer keys = keys_of_user();
  const std::string server_first = std::get<Challenge>(scram->supply(keys)).bytes;
  const std::string without_proof = "c=" + base64_encode(cbind) + ",r=abc" + server_nonce();
  const std::string proof =
      test::scram_proof(Secret("pencil"), keys.keys, bare + "," + server_first + "," + without_proof);
  return scram->step(without_proof + ",p=" + base64_encode(proof));
}

std::string farewell(const Step& step) {
  const auto* refused = std::get_if<Refusal>(&step);
  return refused == nullptr ? "" : refused->farewell;
}

}  // namespace

TEST_CASE("-PLUS takes the proof of whoever is bound to the same connection, by any type that both know") {
  CHECK(std::holds_alternative<Challenge>(after_binding("p=tls-unique,,", "p=tls-unique,,one")));
  CHECK(std::holds_alternative<Challenge>(after_binding("p=tls-exporter,,", "p=tls-exporter,,two\xFF")));
  CHECK(std::holds_alternative<Challenge>(after_binding("p=tls-exporter,a=user,", "p=tls-exporter,a=user,two\xFF")));
}

TEST_CASE("-PLUS refuses whoever is bound to another connection though his password is right") {
  for (const char* other : {"p=tls-unique,,two\xFF", "p=tls-unique,,", "p=tls-unique,,onetwo", "p=tls-unique,,on"}) {
    CAPTURE(other);
    const Step step = after_binding("p=tls-unique,,", other);
    CHECK(kind(step) == ErrorKind::authentication_failed);
    CHECK(farewell(step) == "e=channel-bindings-dont-match");
  }
  for (const char* other : {"n,,", "p=tls-exporter,,one", "p=tls-unique,a=bob,one"}) {
    CHECK(kind(after_binding("p=tls-unique,,", other)) == ErrorKind::bad_syntax);
  }
}

TEST_CASE("-PLUS wants a type of binding that there is, and a client that saw no offer of it was lied to") {
  const auto first = [](ScramBinding binding, std::string_view message) {
    return make_scram(ScramHash::sha_256, std::move(binding), server_nonce)->step(message);
  };
  CHECK(kind(first(required(), "n,,n=user,r=abc")) == ErrorKind::bad_syntax);
  CHECK(kind(first(required(), "y,,n=user,r=abc")) == ErrorKind::bad_syntax);
  const Step unknown = first(required(), "p=tls-server-end-point,,n=user,r=abc");
  CHECK(farewell(unknown) == "e=unsupported-channel-binding-type");
  CHECK(kind(first(required(), "p=,,n=user,r=abc")) == ErrorKind::cannot);

  ScramBinding possible;
  possible.mode = ScramBinding::Mode::possible;
  CHECK(std::holds_alternative<KeyRequest>(first(possible, "n,,n=user,r=abc")));
  CHECK(farewell(first(possible, "p=tls-unique,,n=user,r=abc")) == "e=channel-binding-not-supported");
  const Step lied_to = first(possible, "y,,n=user,r=abc");
  CHECK(kind(lied_to) == ErrorKind::authentication_failed);
  CHECK(farewell(lied_to) == "e=server-does-support-channel-binding");
}

TEST_CASE("a refusal tells the client's program why, and of users no more than that the proof is wrong") {
  CHECK(farewell(after_final(std::string(client_final).replace(70, 1, "A"))) == "e=invalid-proof");
  CHECK(farewell(after_final(client_final, keys_of_user(tl::unexpected<Error>(wrong_login("disabled"))))) ==
        "e=invalid-proof");
  const Error not_allowed(ErrorKind::authorization_failed, "no");
  CHECK(farewell(after_final(client_final, keys_of_user(tl::unexpected<Error>(not_allowed)))) == "e=other-error");
  const auto first = [](std::string_view message) {
    return farewell(make_scram(ScramHash::sha_256, {}, server_nonce)->step(message));
  };
  CHECK(first("n,,m=x,n=user,r=abc") == "e=extensions-not-supported");
  CHECK(first("n,,n=us=er,r=abc") == "e=invalid-username-encoding");
  CHECK(first("n,,n=user").empty());
}

TEST_CASE("names are unescaped, and malformed first messages refused") {
  const auto scram = make_scram(ScramHash::sha_256, {}, server_nonce);
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
  const ScramKeys sha_1 = made_up_scram_keys(Secret("secret"), "alice", 4096, ScramHash::sha_1);
  CHECK(sha_1.salt.size() == scram_salt_octets);
  CHECK(sha_1.salt != one.salt);
  CHECK(scram_keys_from_text(to_text(sha_1), ScramHash::sha_1).has_value());
  CHECK_FALSE(scram_keys_from_text(to_text(sha_1)).has_value());
}
