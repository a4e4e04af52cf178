#include "auth/exchange.h"

#include <doctest/doctest.h>

#include "auth/scram_keys.h"
#include "protocol/base/base64.h"
#include "tests/support/scram_client.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

using State = Exchange::Progress::State;

constexpr Circumstances everything{Channel::confidential, true};
constexpr Circumstances in_the_open{Channel::exposed, true};

Exchange start(std::string_view name) { return Exchange::start(name, everything).value(); }

std::string plain(std::string_view authorization, std::string_view login, std::string_view password) {
  std::string message(authorization);
  message += '\0';
  message += login;
  message += '\0';
  message += password;
  return base64_encode(message);
}

// One exchange per mechanism that ends in alice's credentials: the answers to each challenge. A new row of the
// table without a line here fails a test below.
// SCRAM is told here as far as its look-up: what follows depends on a nonce (scram_test.cpp).
struct Transcript {
  std::string_view mechanism;
  std::vector<std::string> challenges, responses;
  State end = State::credentials;
};
const std::vector<Transcript> transcripts = {
    {"SCRAM-SHA-256", {""}, {base64_encode("n,,n=alice,r=abc")}, State::look_up},
    {"PLAIN", {""}, {plain("", "alice", "secret")}},
    {"LOGIN", {"Username:", "Password:"}, {base64_encode("alice"), base64_encode("secret")}},
};

}  // namespace

TEST_CASE("every mechanism has a transcript, and it ends as it should with and without an initial response") {
  CHECK(transcripts.size() == mechanisms().size());
  for (const Transcript& transcript : transcripts) {
    CAPTURE(transcript.mechanism);
    REQUIRE(find_mechanism(transcript.mechanism) != nullptr);
    for (const bool initial : {false, true}) {
      Exchange exchange = start(transcript.mechanism);
      std::size_t next = 0;
      Exchange::Progress progress =
          initial ? exchange.begin(transcript.responses[next++]) : exchange.begin(std::nullopt);
      while (progress.state == State::challenge) {
        REQUIRE(next < transcript.responses.size());
        CHECK(progress.challenge == base64_encode(transcript.challenges[next]));
        progress = exchange.respond(transcript.responses[next++]);
      }
      REQUIRE(progress.state == transcript.end);
      CHECK(next == transcript.responses.size());
      CHECK(exchange.login() == "alice");
      if (transcript.end != State::credentials) continue;
      CHECK(progress.credentials.login == "alice");
      CHECK(progress.credentials.password.reveal() == "secret");
      CHECK(progress.credentials.authorization.empty());
    }
  }
}

TEST_CASE("every mechanism can be cancelled at every step, and takes no invalid base64") {
  for (const Transcript& transcript : transcripts) {
    for (std::size_t steps = 0; steps < transcript.responses.size(); ++steps) {
      for (const char* bad : {"*", "=", "a", "ab$=", "YQ", " YQ==", "YQ== ", "****"}) {
        CAPTURE(transcript.mechanism);
        CAPTURE(bad);
        Exchange exchange = start(transcript.mechanism);
        Exchange::Progress progress = exchange.begin(std::nullopt);
        for (std::size_t i = 0; i < steps; ++i) progress = exchange.respond(transcript.responses[i]);
        REQUIRE(progress.state == State::challenge);
        progress = exchange.respond(bad);
        CHECK(progress.state == State::failed);
        CHECK(progress.error.kind == ErrorKind::bad_syntax);
        CHECK_FALSE(progress.error.text.empty());
      }
    }
  }
}

TEST_CASE("an initial response of = is an empty one") {
  CHECK(start("PLAIN").begin("=").state == State::failed);  // PLAIN has no empty message
  CHECK(start("PLAIN").begin("").state == State::failed);
}

TEST_CASE("PLAIN takes exactly two NULs around a name, and UTF-8 only") {
  const auto state = [](std::string message) { return start("PLAIN").begin(base64_encode(message)).state; };
  CHECK(state(std::string("\0a\0b", 4)) == State::credentials);
  CHECK(state(std::string("z\0a\0b", 5)) == State::credentials);
  CHECK(state(std::string("a\0b", 3)) == State::failed);
  CHECK(state(std::string("\0a\0b\0", 5)) == State::failed);
  CHECK(state(std::string("\0\0b", 3)) == State::failed);
  CHECK(state(std::string("\0a\0", 3)) == State::failed);
  CHECK(state(std::string("\0a\0\xFF", 4)) == State::failed);
  CHECK(state("") == State::failed);
  CHECK(start("PLAIN").begin(plain("bob", "alice", "x")).credentials.authorization == "bob");
}

TEST_CASE("a message beyond the limit is refused") {
  CHECK(start("PLAIN").begin(plain("", "alice", std::string(20'000, 'x'))).state == State::failed);
}

TEST_CASE("a mechanism that looks keys up goes on with them, to an identity") {
  Exchange exchange = start("scram-sha-256");
  REQUIRE(exchange.begin(base64_encode("n,,n=alice,r=abc")).state == State::look_up);
  KeyAnswer answer;
  const Secret password("secret");
  answer.keys = derive_scram_keys(password, "0123456789abcdef", 4096);
  answer.if_proven = Identity{"alice", false, {}};
  Exchange::Progress progress = exchange.supply(answer);
  REQUIRE(progress.state == State::challenge);
  const std::string server_first = base64_decode(progress.challenge).value();
  REQUIRE(server_first.starts_with("r=abc"));
  const std::string without_proof = "c=biws," + server_first.substr(0, server_first.find(','));
  const std::string proof =
      test::scram_proof(password, answer.keys, "n=alice,r=abc," + server_first + "," + without_proof);
  progress = exchange.respond(base64_encode(without_proof + ",p=" + base64_encode(proof)));
  REQUIRE(progress.state == State::challenge);
  CHECK(base64_decode(progress.challenge).value().starts_with("v="));
  progress = exchange.respond("");
  REQUIRE(progress.state == State::proven);
  CHECK(progress.identity.user == "alice");
}

TEST_CASE("mechanisms that show the password need a confidential channel, and their names ignore case") {
  CHECK(Exchange::start("plain", in_the_open).error().kind == ErrorKind::privacy_required);
  CHECK(Exchange::start("LOGIN", in_the_open).error().kind == ErrorKind::privacy_required);
  CHECK(Exchange::start("X-NONE", everything).error().kind == ErrorKind::cannot);
  CHECK(Exchange::start("", everything).error().kind == ErrorKind::cannot);
  CHECK(start("plAIN").mechanism() == "PLAIN");
}

TEST_CASE("what is offered is what can be used on this connection and by every user") {
  using Names = std::vector<std::string_view>;
  CHECK(offered_mechanisms(everything) == Names{"SCRAM-SHA-256", "PLAIN", "LOGIN"});
  CHECK(offered_mechanisms(in_the_open) == Names{"SCRAM-SHA-256"});
  CHECK(offered_mechanisms({Channel::confidential, false}) == Names{"PLAIN", "LOGIN"});
  CHECK(offered_mechanisms({Channel::exposed, false}).empty());
  CHECK(Exchange::start("SCRAM-SHA-256", {Channel::confidential, false}).error().kind == ErrorKind::cannot);
}
