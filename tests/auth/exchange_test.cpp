#include "auth/exchange.h"

#include <doctest/doctest.h>

#include "auth/scram_keys.h"
#include "protocol/base/base64.h"
#include "tests/support/scram_client.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

using State = Exchange::Progress::State;

// Where every mechanism of the table can be used.
Circumstances everything() {
  Circumstances all;
  all.channel = Channel::confidential;
  all.keys = all.sha_1_keys = all.anonymous = true;
  all.bindings.push_back(ChannelBinding{"tls-exporter", "binding"});
  all.certificate = CertificateNames{"CN=alice", "", {"alice"}, {}};
  all.allowed = ~MechanismSet{0};
  return all;
}

Circumstances plain_tcp(Channel channel, bool keys = true) {
  Circumstances some;
  some.channel = channel;
  some.keys = keys;
  return some;
}

Exchange start(std::string_view name) { return Exchange::start(name, everything()).value(); }

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
  std::string_view login = "alice";
  std::string_view password = "secret";  // what of the credentials is secret
  bool takes_initial = true;
};
const std::vector<Transcript> transcripts = {
    {"EXTERNAL", {""}, {""}, State::credentials, "CN=alice", ""},
    {"SCRAM-SHA-256-PLUS", {""}, {base64_encode("p=tls-exporter,,n=alice,r=abc")}, State::look_up},
    {"SCRAM-SHA-1-PLUS", {""}, {base64_encode("p=tls-exporter,,n=alice,r=abc")}, State::look_up},
    {"SCRAM-SHA-256", {""}, {base64_encode("n,,n=alice,r=abc")}, State::look_up},
    {"SCRAM-SHA-1", {""}, {base64_encode("n,,n=alice,r=abc")}, State::look_up},
    {"PLAIN", {""}, {plain("", "alice", "secret")}},
    {"LOGIN", {"Username:", "Password:"}, {base64_encode("alice"), base64_encode("secret")}},
    {"CRAM-MD5",
     {"<...@localhost>"},
     {base64_encode("alice 0123456789ABCDEF0123456789abcdef")},
     State::credentials,
     "alice",
     "0123456789abcdef0123456789abcdef",
     false},
    {"ANONYMOUS", {""}, {base64_encode("me@example.org")}, State::credentials, "me@example.org", ""},
};

// "<1f3c@localhost>" becomes "<...@localhost>".
std::string without_nonce(std::string challenge) {
  const std::size_t at = challenge.find('@');
  return challenge.starts_with('<') && at != std::string::npos ? "<..." + challenge.substr(at) : challenge;
}

// What a client would not say to this mechanism, but could to others.
bool means_something(std::string_view mechanism, std::string_view message) {
  const bool takes_nothing = mechanism == "EXTERNAL" || mechanism == "ANONYMOUS";
  return takes_nothing && message.empty();
}

}  // namespace

TEST_CASE("every mechanism has a transcript, and it ends as it should with and without an initial response") {
  CHECK(transcripts.size() == mechanisms().size());
  for (const Transcript& transcript : transcripts) {
    CAPTURE(transcript.mechanism);
    REQUIRE(find_mechanism(transcript.mechanism) != nullptr);
    for (const bool initial : {false, true}) {
      if (initial && !transcript.takes_initial) continue;
      Exchange exchange = start(transcript.mechanism);
      std::size_t next = 0;
      Exchange::Progress progress =
          initial ? exchange.begin(transcript.responses[next++]) : exchange.begin(std::nullopt);
      while (progress.state == State::challenge) {
        REQUIRE(next < transcript.responses.size());
        CHECK(without_nonce(base64_decode(progress.challenge).value()) == transcript.challenges[next]);
        progress = exchange.respond(transcript.responses[next++]);
      }
      REQUIRE(progress.state == transcript.end);
      CHECK(next == transcript.responses.size());
      CHECK(exchange.login() == transcript.login);
      if (transcript.end != State::credentials) continue;
      CHECK(progress.credentials.login == transcript.login);
      CHECK(progress.credentials.password.reveal() == transcript.password);
      CHECK(progress.credentials.authorization.empty());
    }
  }
}

TEST_CASE("every mechanism can be cancelled at every step, and takes no invalid base64") {
  for (const Transcript& transcript : transcripts) {
    for (std::size_t steps = 0; steps < transcript.responses.size(); ++steps) {
      for (const char* bad : {"*", "=", "a", "ab$=", "YQ", " YQ==", "YQ== ", "****"}) {
        if (means_something(transcript.mechanism, bad)) continue;
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
  const Circumstances in_the_open = plain_tcp(Channel::exposed);
  CHECK(Exchange::start("plain", in_the_open).error().kind == ErrorKind::privacy_required);
  CHECK(Exchange::start("LOGIN", in_the_open).error().kind == ErrorKind::privacy_required);
  CHECK(Exchange::start("X-NONE", everything()).error().kind == ErrorKind::cannot);
  CHECK(Exchange::start("", everything()).error().kind == ErrorKind::cannot);
  CHECK(start("plAIN").mechanism() == "PLAIN");
}

TEST_CASE("what is offered is what can be used on this connection and by every user") {
  using Offered = std::vector<std::string_view>;
  CHECK(offered_mechanisms(plain_tcp(Channel::confidential)) == Offered{"SCRAM-SHA-256", "PLAIN", "LOGIN"});
  CHECK(offered_mechanisms(plain_tcp(Channel::exposed)) == Offered{"SCRAM-SHA-256"});
  CHECK(offered_mechanisms(plain_tcp(Channel::confidential, false)) == Offered{"PLAIN", "LOGIN"});
  CHECK(offered_mechanisms(plain_tcp(Channel::exposed, false)).empty());
  CHECK(Exchange::start("SCRAM-SHA-256", plain_tcp(Channel::confidential, false)).error().kind == ErrorKind::cannot);
  CHECK(offered_mechanisms(everything()).size() == mechanisms().size());

  Circumstances usual = everything();
  usual.allowed = usual_mechanisms();
  CHECK(offered_mechanisms(usual) == Offered{"EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256",
                                             "SCRAM-SHA-1", "PLAIN", "LOGIN", "ANONYMOUS"});
  usual.bindings.clear();
  usual.certificate.reset();
  usual.anonymous = false;
  CHECK(offered_mechanisms(usual) == Offered{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"});
  const std::vector<std::string> names = {"login", "CRAM-MD5", "X-NONE"};
  usual.allowed = mechanism_set(names);
  CHECK(offered_mechanisms(usual) == Offered{"LOGIN", "CRAM-MD5"});
  CHECK(Exchange::start("PLAIN", usual).error().kind == ErrorKind::cannot);
}

TEST_CASE("EXTERNAL hands the certificate on, with whom its owner wants to act as") {
  const Exchange::Progress progress = start("EXTERNAL").begin(base64_encode("bob"));
  REQUIRE(progress.state == State::credentials);
  CHECK(progress.credentials.proof == Proof::certificate);
  CHECK(progress.credentials.authorization == "bob");
  CHECK(progress.credentials.certificate.common_names == std::vector<std::string>{"alice"});
  CHECK(start("EXTERNAL").begin("=").credentials.authorization.empty());
  for (const std::string& bad : {std::string("a\0b", 3), std::string("\xFF"), std::string(5000, 'x')}) {
    CHECK(start("EXTERNAL").begin(base64_encode(bad)).error.kind == ErrorKind::bad_syntax);
  }
}

TEST_CASE("CRAM-MD5 asks something new each time and takes nothing before") {
  Exchange one = start("CRAM-MD5"), other = start("CRAM-MD5");
  const std::string challenge = one.begin(std::nullopt).challenge;
  CHECK(challenge != other.begin(std::nullopt).challenge);
  const std::string digest(32, 'a');
  const Exchange::Progress progress = one.respond(base64_encode("a name " + digest));
  REQUIRE(progress.state == State::credentials);
  CHECK(progress.credentials.login == "a name");
  CHECK(base64_encode(progress.credentials.challenge) == challenge);
  CHECK(start("CRAM-MD5").begin(base64_encode("alice " + digest)).state == State::failed);
  for (const std::string& bad :
       {std::string("alice"), " " + digest, "alice " + digest + "a", "alice " + digest.substr(1) + "g"}) {
    CAPTURE(bad);
    Exchange exchange = start("CRAM-MD5");
    exchange.begin(std::nullopt);
    CHECK(exchange.respond(base64_encode(bad)).error.kind == ErrorKind::bad_syntax);
  }
}

TEST_CASE("ANONYMOUS takes what RFC 4505 takes") {
  std::string longest;
  for (int i = 0; i < 255; ++i) longest += "\xC3\xA4";
  CHECK(start("ANONYMOUS").begin("=").credentials.proof == Proof::nothing);
  CHECK(start("ANONYMOUS").begin(base64_encode(longest)).state == State::credentials);
  for (const std::string& bad : {longest + "x", std::string("a\nb"), std::string("\xFF"), std::string("\xC2\x85")}) {
    CHECK(start("ANONYMOUS").begin(base64_encode(bad)).error.kind == ErrorKind::bad_syntax);
  }
}

TEST_CASE("what a mechanism says of its failure comes in base64 beside the error") {
  const Exchange::Progress progress = start("SCRAM-SHA-256").begin(base64_encode("y,,n=alice,r=abc"));
  CHECK(progress.state == State::failed);
  CHECK(base64_decode(progress.farewell).value() == "e=server-does-support-channel-binding");
  CHECK(start("PLAIN").begin("").farewell.empty());
}
