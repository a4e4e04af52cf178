// COMPRESS=DEFLATE over a session. RFC 4978.
#include "server/net/deflate_stream.h"
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

// What the server says, up to a line that starts with `start`.
std::string read_compressed(ImapClient& client, server::DeflateStream& stream, const std::string& start) {
  std::string text;
  for (;;) {
    const std::string octets = client.read_octets();
    if (octets.empty()) return text;  // the server has hung up; what the test looks for will be missing
    stream.feed(octets);
    while (must(stream.inflate(text, 4096)) > 0) {
    }
    const std::size_t at = text.starts_with(start) ? 0 : text.find("\r\n" + start);
    if (at != std::string::npos && text.ends_with("\r\n")) return text;
  }
}

void send_compressed(ImapClient& client, server::DeflateStream& stream, const std::string& text) {
  std::string wire;
  stream.compress(text, wire);
  client.send(wire);
}

}  // namespace

TEST_CASE("COMPRESS compresses what follows its reply, both ways") {
  ImapServer server;
  ImapClient client = server.select();
  CHECK(client.ok("CAPABILITY").starts_with("OK"));
  CHECK(contains(client.run("CAPABILITY"), "COMPRESS=DEFLATE"));
  CHECK(client.ok("COMPRESS GZIP").starts_with("BAD"));
  CHECK(client.ok("COMPRESS DEFLATE").starts_with("OK"));
  server::DeflateStream stream(6);
  const std::string message(300'000, 'm');
  send_compressed(client, stream,
                  "a APPEND INBOX {" + std::to_string(message.size()) + "+}\r\n" + message + "\r\nb CAPABILITY\r\n");
  const std::string answer = read_compressed(client, stream, "b ");
  CHECK(answer.find("a OK [APPENDUID ") != std::string::npos);
  CHECK(answer.find("COMPRESS=DEFLATE") == std::string::npos);
  send_compressed(client, stream, "c COMPRESS DEFLATE\r\n");
  CHECK(read_compressed(client, stream, "c ").starts_with("c BAD "));
  send_compressed(client, stream, "d UID FETCH 1 BODY.PEEK[]\r\n");
  const std::string fetched = read_compressed(client, stream, "d ");
  CHECK(fetched.find(message) != std::string::npos);
}

TEST_CASE("a damaged stream ends the session") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(client.ok("COMPRESS DEFLATE").starts_with("OK"));
  client.send("a NOOP\r\n");
  CHECK(client.at_end());
}

TEST_CASE("nothing may be sent behind COMPRESS before its reply") {
  ImapServer server;
  ImapClient client = server.login();
  client.send("a COMPRESS DEFLATE\r\nb NOOP\r\n");
  CHECK(client.read().starts_with("* BYE"));
}

TEST_CASE("what is hidden is not offered, not known and not enabled: for all, for a user, for a client") {
  Settings settings = test_settings();
  settings.imap.hidden_capabilities = {{"COMPRESS=DEFLATE", "", ""}, {"QRESYNC", "alice", ""}, {"MOVE", "", "OldMail"}};
  ImapServer server(settings);
  ImapClient alice = server.select();
  const Lines lines = alice.run("CAPABILITY");
  CHECK_FALSE(contains(lines, "COMPRESS"));
  CHECK_FALSE(contains(lines, "QRESYNC"));
  CHECK(contains(lines, " MOVE"));
  CHECK(alice.ok("COMPRESS DEFLATE") == "BAD Unknown command");
  CHECK(alice.run("ENABLE QRESYNC").front() == "* ENABLED");
  alice.ok("ID (\"name\" \"oldmail\")");
  CHECK_FALSE(contains(alice.run("CAPABILITY"), " MOVE"));
  CHECK(alice.ok("MOVE 1 x") == "BAD Unknown command");
  ImapClient bob = server.login("bob");
  CHECK(contains(bob.run("CAPABILITY"), "QRESYNC"));
}
