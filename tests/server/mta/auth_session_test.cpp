// The auth socket of MTAs over socket pairs. What the lines are is tests/protocol/dovecot_auth's; what the mechanisms
// do tests/auth's.
#include "server/mta/auth_session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "auth/scram_keys.h"
#include "protocol/base/base64.h"
#include "server/mta/auth_requests.h"
#include "tests/server/mta/mta_fixture.h"
#include "tests/support/scram_client.h"

using namespace postkeep;

namespace {

const std::string hello = "VERSION\t1\t0\nCPID\t4711\n";
const std::string from_loopback = "\tservice=smtp\tnologin\tlip=127.0.0.1\trip=127.0.0.1";
const std::string from_afar = "\tservice=smtp\tnologin\tlip=192.0.2.1\trip=192.0.2.7";

std::string plain_message(const std::string& user, const std::string& password) {
  return base64_encode('\0' + user + '\0' + password);
}

class AuthServer : public test::MtaServer {
 public:
  explicit AuthServer(const Settings& settings = test::test_settings())
      : MtaServer(server::run_mta_auth_session, settings) {}
  // The handshakes are over.
  test::Socket greeted() {
    test::Socket mta = connect();
    handshake = mta.receive_until("DONE\n");
    mta.send(hello);
    return mta;
  }
  std::string handshake;
};

// Sends a line, and has a line back.
std::string ask(const test::Socket& mta, const std::string& line) {
  mta.send(line + "\n");
  return mta.receive_until("\n");
}

// All lines until there are `count`, sorted.
std::vector<std::string> sorted_lines(const test::Socket& mta, std::size_t count) {
  std::string all;
  while (static_cast<std::size_t>(std::ranges::count(all, '\n')) < count) all += mta.receive_until("\n");
  std::istringstream text(all);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

}  // namespace

TEST_CASE("the handshake comes first, with the mechanisms of our table") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  CHECK(server.handshake.starts_with(
      "VERSION\t1\t2\nMECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t"));
  CHECK(server.handshake.find("\nCUID\t") != std::string::npos);
  const std::string first = server.handshake;
  const test::Socket another = server.greeted();
  CHECK(first.substr(first.find("CUID")) != server.handshake.substr(server.handshake.find("CUID")));
}

TEST_CASE("PLAIN with its initial response and without") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  const std::string right = plain_message("alice", "secret");
  CHECK(ask(mta, "AUTH\t1\tPLAIN" + from_loopback + "\tresp=" + right) == "OK\t1\tuser=alice\n");
  CHECK(ask(mta, "AUTH\t2\tPLAIN" + from_loopback) == "CONT\t2\t\n");
  CHECK(ask(mta, "CONT\t2\t" + plain_message("bob@test.example", "secret")) == "OK\t2\tuser=bob\n");
}

TEST_CASE("a wrong password and nobody's name fail alike, and for good") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  CHECK(ask(mta, "AUTH\t1\tPLAIN" + from_loopback + "\tresp=" + plain_message("alice", "guess")) ==
        "FAIL\t1\tuser=alice\treason=Wrong user name or password\n");
  CHECK(ask(mta, "AUTH\t2\tPLAIN" + from_loopback + "\tresp=" + plain_message("nobody", "guess")) ==
        "FAIL\t2\tuser=nobody\treason=Wrong user name or password\n");
  CHECK(ask(mta, "AUTH\t3\tPLAIN" + from_loopback + "\tresp=!").starts_with("FAIL\t3\treason="));
  CHECK(ask(mta, "AUTH\t4\tX-NONE" + from_loopback).starts_with("FAIL\t4\treason="));
  CHECK(ask(mta, "AUTH\t5\tPLAIN" + from_loopback + "\tresp=" + plain_message("alice", "secret")) ==
        "OK\t5\tuser=alice\n");
}

TEST_CASE("LOGIN asks for name and password, and an empty resp= is none") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  CHECK(ask(mta, "AUTH\t1\tLOGIN" + from_loopback + "\tresp=") == "CONT\t1\t" + base64_encode("Username:") + "\n");
  CHECK(ask(mta, "CONT\t1\t" + base64_encode("alice")) == "CONT\t1\t" + base64_encode("Password:") + "\n");
  CHECK(ask(mta, "CONT\t1\t" + base64_encode("secret")) == "OK\t1\tuser=alice\n");
  CHECK(ask(mta, "CONT\t1\t" + base64_encode("secret")).starts_with("FAIL\t1\t"));
}

TEST_CASE("SCRAM goes through, and ends with the server's proof") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  const auto challenge = [](const std::string& reply) {
    REQUIRE(reply.starts_with("CONT\t1\t"));
    return base64_decode(std::string_view(reply).substr(7, reply.size() - 8)).value();
  };
  const std::string first =
      challenge(ask(mta, "AUTH\t1\tSCRAM-SHA-256" + from_afar + "\tresp=" + base64_encode("n,,n=alice,r=abc")));
  const std::size_t salt = first.find(",s=") + 3, rounds = first.find(",i=");
  const Secret password("secret");
  const auth::ScramKeys keys =
      auth::derive_scram_keys(password, base64_decode(first.substr(salt, rounds - salt)).value(),
                              static_cast<unsigned>(std::stoul(first.substr(rounds + 3))));
  const std::string without_proof = "c=biws," + first.substr(0, first.find(','));
  const std::string proof = test::scram_proof(password, keys, "n=alice,r=abc," + first + "," + without_proof);
  const std::string last = without_proof + ",p=" + base64_encode(proof);
  CHECK(challenge(ask(mta, "CONT\t1\t" + base64_encode(last))).starts_with("v="));
  CHECK(ask(mta, "CONT\t1\t") == "OK\t1\tuser=alice\n");
}

TEST_CASE("a password may travel by TLS or on the machine itself, as it may to us") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  const std::string right = "\tresp=" + plain_message("alice", "secret");
  CHECK(ask(mta, "AUTH\t1\tPLAIN" + from_afar + right).starts_with("FAIL\t1\treason="));
  CHECK(ask(mta, "AUTH\t2\tPLAIN" + from_afar + "\tsecured" + right) == "OK\t2\tuser=alice\n");
  CHECK(ask(mta, "AUTH\t3\tPLAIN\tservice=smtp\trip=::1" + right) == "OK\t3\tuser=alice\n");
  CHECK(ask(mta, "AUTH\t4\tPLAIN\tservice=smtp" + right).starts_with("FAIL\t4\treason="));

  Settings settings = test::test_settings();
  settings.auth.allow_plaintext = AllowPlaintext::always;
  AuthServer careless(settings);
  const test::Socket other = careless.greeted();
  CHECK(ask(other, "AUTH\t1\tPLAIN" + from_afar + right) == "OK\t1\tuser=alice\n");
}

TEST_CASE("many exchanges go on at one time, each by its id") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  std::string all;
  std::vector<std::string> expected;
  for (int id = 10; id < 40; ++id) {
    const std::string password = id % 3 == 0 ? "wrong" : "secret";
    const std::string number = std::to_string(id);
    all += "AUTH\t" + number + "\tPLAIN" + from_loopback + "\tresp=" + plain_message("bob", password) + "\n";
    expected.push_back(id % 3 == 0 ? "FAIL\t" + number + "\tuser=bob\treason=Wrong user name or password"
                                   : "OK\t" + number + "\tuser=bob");
  }
  std::ranges::sort(expected);
  mta.send(all);
  CHECK(sorted_lines(mta, expected.size()) == expected);
}

TEST_CASE("exchanges that wait for the client have a limit, and cancelling one makes room") {
  AuthServer server;
  const test::Socket mta = server.greeted();
  for (std::size_t id = 1; id <= server::auth_requests_max; ++id) {
    REQUIRE(ask(mta, "AUTH\t" + std::to_string(id) + "\tPLAIN" + from_loopback).starts_with("CONT\t"));
  }
  CHECK(ask(mta, "AUTH\t1000\tPLAIN" + from_loopback) ==
        "FAIL\t1000\ttemp\treason=Too many authentications at one time\n");
  mta.send("CANCEL\t5\nCANCEL\t1000\n");
  CHECK(ask(mta, "AUTH\t1000\tPLAIN" + from_loopback) == "CONT\t1000\t\n");
  CHECK(ask(mta, "CONT\t5\t" + plain_message("alice", "secret")).starts_with("FAIL\t5\t"));
  CHECK(ask(mta, "CONT\t6\t" + plain_message("alice", "secret")) == "OK\t6\tuser=alice\n");
}

TEST_CASE("an exchange that the client has left is forgotten after a while") {
  Settings settings = test::test_settings();
  settings.limits.time_to_authenticate = std::chrono::seconds(0);
  AuthServer server(settings);
  const test::Socket mta = server.greeted();
  for (std::size_t id = 1; id <= 2 * server::auth_requests_max; ++id) {
    REQUIRE(ask(mta, "AUTH\t" + std::to_string(id) + "\tLOGIN" + from_loopback).starts_with("CONT\t"));
  }
}

TEST_CASE("who does not keep to the protocol is cut off") {
  AuthServer server;
  for (const std::string& script :
       {std::string("AUTH\t1\tPLAIN\n"), std::string("VERSION\t2\t0\n"), hello + "AUTH\n", hello + "\n",
        hello + "AUTH\t1\tPLAIN\trip=::1\nAUTH\t1\tPLAIN\trip=::1\n", hello + "X" + std::string(30'000, 'x') + "\n"}) {
    CAPTURE(script.substr(0, 60));
    const test::Socket mta = server.connect();
    mta.receive_until("DONE\n");
    mta.send(script);
    const std::string rest = mta.receive_to_end();
    CHECK(rest.find("OK") == std::string::npos);
  }
}

TEST_CASE("what an MTA of another minor version sends besides is ignored") {
  AuthServer server;
  const test::Socket mta = server.connect();
  mta.receive_until("DONE\n");
  mta.send("VERSION\t1\t9\nSERVICE\tSMTP\nCPID\t1\nNEWS\t1\n");
  CHECK(ask(mta, "AUTH\t1\tPLAIN" + from_loopback + "\tnew=x\tresp=" + plain_message("alice", "secret")) ==
        "OK\t1\tuser=alice\n");
}

TEST_CASE("an MTA that hangs up while its answers are on the way harms nobody") {
  AuthServer server;
  {
    const test::Socket mta = server.greeted();
    std::string all;
    for (int id = 1; id <= 50; ++id) {
      all += "AUTH\t" + std::to_string(id) + "\tPLAIN" + from_loopback + "\tresp=" + plain_message("bob", "x") + "\n";
    }
    mta.send(all);
  }
  const test::Socket mta = server.greeted();
  CHECK(ask(mta, "AUTH\t1\tPLAIN" + from_loopback + "\tresp=" + plain_message("alice", "secret")) ==
        "OK\t1\tuser=alice\n");
}

TEST_CASE("the log tells of each login by which service and from where, and never the password") {
  const test::TemporaryDirectory folder;
  Settings settings = test::test_settings();
  settings.log.file = folder.path() + "/log";
  {
    AuthServer server(settings);
    const test::Socket mta = server.greeted();
    ask(mta, "AUTH\t1\tPLAIN" + from_afar + "\tsecured\tresp=" + plain_message("alice", "secret"));
    ask(mta, "AUTH\t2\tPLAIN" + from_afar + "\tsecured\tresp=" + plain_message("alice", "guessed"));
  }
  std::stringstream text;
  text << std::ifstream(settings.log.file).rdbuf();
  const std::string log = text.str();
  CAPTURE(log);
  CHECK(log.find("event=login session=") != std::string::npos);
  CHECK(log.find("protocol=smtp mechanism=PLAIN tls=true peer=192.0.2.7") != std::string::npos);
  CHECK(log.find("event=login_failed") != std::string::npos);
  CHECK(log.find("peer=192.0.2.7 protocol=smtp mechanism=PLAIN kind=authentication_failed") != std::string::npos);
  CHECK(log.find("secret") == std::string::npos);
  CHECK(log.find("guessed") == std::string::npos);
}
