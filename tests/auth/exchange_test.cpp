#include "auth/exchange.h"

#include <doctest/doctest.h>

#include "protocol/base/base64.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

using State = Exchange::Progress::State;

Exchange start(std::string_view name) { return Exchange::start(name, Channel::confidential).value(); }

std::string plain(std::string_view authorization, std::string_view login, std::string_view password) {
  std::string message(authorization);
  message += '\0';
  message += login;
  message += '\0';
  message += password;
  return base64_encode(message);
}

// One whole exchange per mechanism that ends in alice's credentials: the answers to each challenge. A new row of the
// table without a line here fails a test below.
struct Transcript {
  std::string_view mechanism;
  std::vector<std::string> challenges, responses;
};
const std::vector<Transcript> transcripts = {
    {"PLAIN", {""}, {plain("", "alice", "secret")}},
    {"LOGIN", {"Username:", "Password:"}, {base64_encode("alice"), base64_encode("secret")}},
};

}  // namespace

TEST_CASE("every mechanism has a transcript, and it ends in credentials with and without an initial response") {
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
      REQUIRE(progress.state == State::credentials);
      CHECK(next == transcript.responses.size());
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

TEST_CASE("mechanisms that show the password need a confidential channel, and their names ignore case") {
  CHECK(Exchange::start("plain", Channel::exposed).error().kind == ErrorKind::privacy_required);
  CHECK(Exchange::start("LOGIN", Channel::exposed).error().kind == ErrorKind::privacy_required);
  CHECK(Exchange::start("X-NONE", Channel::confidential).error().kind == ErrorKind::cannot);
  CHECK(Exchange::start("", Channel::confidential).error().kind == ErrorKind::cannot);
  CHECK(start("plAIN").mechanism() == "PLAIN");
  CHECK(offered_mechanisms(Channel::exposed).empty());
  CHECK(offered_mechanisms(Channel::confidential) == std::vector<std::string_view>{"PLAIN", "LOGIN"});
}
