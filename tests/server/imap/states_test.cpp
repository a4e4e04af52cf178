// Every command in every state, from the table itself, and what the table promises about itself.
#include <set>

#include "server/imap/extensions.h"
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

// Arguments with which each verb is well-formed.
std::string example(const imap::CommandRow& row) {
  const std::string verb = (row.uid == imap::UidForm::yes ? "UID " : "") + std::string(row.name);
  static const std::vector<std::pair<std::string_view, std::string>> arguments = {
      {"ID", " NIL"},
      {"AUTHENTICATE", " PLAIN AGFsaWNlAHdyb25n"},
      {"LOGIN", " alice bad"},
      {"ENABLE", " IMAP4rev2"},
      {"COMPRESS", " DEFLATE"},
      {"GETQUOTA", " user"},
      {"GETQUOTAROOT", " INBOX"},
      {"SETQUOTA", " user (MESSAGE 5)"},
      {"SELECT", " INBOX"},
      {"EXAMINE", " INBOX"},
      {"CREATE", " x"},
      {"DELETE", " x"},
      {"RENAME", " x y"},
      {"SUBSCRIBE", " x"},
      {"UNSUBSCRIBE", " x"},
      {"LIST", " \"\" %"},
      {"LSUB", " \"\" %"},
      {"STATUS", " INBOX (MESSAGES)"},
      {"APPEND", " INBOX {6+}\r\nA: b\r\n"},
      {"REPLACE", " 1 INBOX {6+}\r\nA: b\r\n"},
      {"IDLE", "\r\nDONE"},
      {"NOTIFY", " NONE"},
      {"SEARCH", " ALL"},
      {"SORT", " (DATE) UTF-8 ALL"},
      {"THREAD", " REFERENCES UTF-8 ALL"},
      {"FETCH", " 1 FLAGS"},
      {"STORE", " 1 FLAGS ()"},
      {"COPY", " 1 Archive"},
      {"MOVE", " 1 Archive"},
  };
  if (row.name == "EXPUNGE" && row.uid == imap::UidForm::yes) return verb + " 1";
  for (const auto& [name, text] : arguments) {
    if (name == row.name) return verb + text;
  }
  return verb;
}

ImapClient in_state(ImapServer& server, imap::State state) {
  if (state == imap::State::not_authenticated) return server.connect();
  if (state == imap::State::authenticated) return server.login();
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  return client;
}

}  // namespace

TEST_CASE("every command runs in its states and is answered BAD, with the session going on, in the others") {
  ImapServer server;
  for (const imap::CommandRow& row : imap::commands()) {
    for (const imap::State state :
         {imap::State::not_authenticated, imap::State::authenticated, imap::State::selected}) {
      CAPTURE(row.name);
      CAPTURE(static_cast<int>(state));
      if (row.name == "STARTTLS") continue;  // there is no certificate here; tests/integration has it
      ImapClient client = in_state(server, state);
      const std::string reply = client.ok(example(row));
      const bool legal = row.states.has(state);
      CHECK((legal ? !reply.starts_with("BAD") : reply.starts_with("BAD")));
      if (row.name == "LOGOUT" || (row.name == "COMPRESS" && legal)) continue;
      // IDLE's DONE is a malformed command where IDLE was refused.
      if (row.name == "IDLE" && !legal) CHECK(client.read().find(" BAD ") != std::string::npos);
      CHECK(client.ok("NOOP").starts_with("OK"));
    }
  }
}

TEST_CASE("the tables name no command and no capability twice, and every command's capability is advertised") {
  std::set<std::string> seen;
  std::set<std::string_view> tokens;
  for (const imap::CapabilityRow& row : imap::capabilities()) CHECK(tokens.insert(row.token).second);
  for (const imap::CommandRow& row : imap::commands()) {
    CAPTURE(row.name);
    CHECK(seen.insert(std::string(row.name) + (row.uid == imap::UidForm::yes ? " UID" : "")).second);
    CHECK(row.rfc.starts_with("RFC "));
    if (!row.capability.empty()) CHECK(tokens.contains(row.capability));
  }
}

TEST_CASE("commands that no row has are answered BAD") {
  ImapServer server;
  ImapClient client = server.select();
  for (const char* text : {"FROB", "UID FROB 1", "UID NOOP", "UID", "XLIST \"\" *", "SORTED (DATE) UTF-8 ALL"}) {
    CAPTURE(text);
    CHECK(client.ok(text).starts_with("BAD"));
  }
}

TEST_CASE("malformed commands get a tagged BAD with a reason and the session goes on") {
  ImapServer server;
  ImapClient client = server.select();
  for (const char* text : {"FETCH",
                           "FETCH 1",
                           "FETCH 0 FLAGS",
                           "FETCH 1 (FLAGS",
                           "STORE 1 FLAGS",
                           "SEARCH",
                           "SORT",
                           "SORT (DATE) UTF-8",
                           "SORT (BCC) UTF-8 ALL",
                           "THREAD",
                           "THREAD NONSENSE UTF-8 ALL",
                           "SELECT",
                           "SELECT \"x",
                           "COPY 1",
                           "STATUS INBOX ()",
                           "FETCH 1 BODY[0]",
                           "FETCH 1 BODY[]<0.0>",
                           "STORE 1 +FLAGS (\\Recent)",
                           "ENABLE",
                           "NOOP now",
                           "FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
                           "UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
                           "FETCH 1 PREVIEW (NOW)",
                           "SELECT INBOX (QRESYNC (1 1))",
                           "STORE 1 (UNCHANGEDSINCE x) FLAGS ()",
                           "LIST (NONSENSE) \"\" *"}) {
    CAPTURE(text);
    const std::string reply = client.ok(text);
    CHECK(reply.starts_with("BAD "));
    CHECK(reply.size() > 8);
  }
  client.send("\r\n*\r\ntag\r\n\x80\xff NOOP\r\n{5}\r\n");
  client.send(std::string("a\0b NOOP\r\n", 10));
  CHECK(client.ok("NOOP").starts_with("OK"));
}

TEST_CASE("too many bad commands end the session with BYE") {
  Settings settings = test_settings();
  settings.limits.bad_commands = 3;
  ImapServer server(settings);
  ImapClient client = server.login();
  client.send("a X\r\nb X\r\nc X\r\nd NOOP\r\n");
  const Lines lines = client.read_to("* BYE");
  CHECK(lines.size() == 4);
  CHECK(lines.back() == "* BYE Too many bad commands");
  CHECK(client.at_end());
}

TEST_CASE("too many failed logins end the session with BYE") {
  Settings settings = test_settings();
  settings.limits.login_attempts = 2;
  ImapServer server(settings);
  ImapClient client = server.connect();
  CHECK(client.ok("LOGIN alice bad").starts_with("NO [AUTHENTICATIONFAILED]"));
  CHECK(client.ok("LOGIN nobody bad").starts_with("NO [AUTHENTICATIONFAILED]"));
  CHECK(client.read().starts_with("* BYE"));
}

TEST_CASE("a peer that does not log in, or is idle for too long, is told BYE") {
  Settings settings = test_settings();
  settings.limits.time_to_authenticate = std::chrono::seconds(3);
  settings.limits.idle_timeout = std::chrono::seconds(3);
  ImapServer server(settings);
  ImapClient stranger = server.connect();
  ImapClient user = server.login();
  ImapClient idler = server.select();
  idler.send("i IDLE\r\n");
  CHECK(idler.read() == "+ idling");
  CHECK(stranger.read() == "* BYE Took too long to log in");
  CHECK(user.read() == "* BYE Logged out for inactivity");
  CHECK(idler.read() == "* BYE Logged out for inactivity");
  CHECK(idler.at_end());
}

TEST_CASE("shutting down ends sessions, idle ones too, with BYE") {
  ImapServer server;
  ImapClient quiet = server.select();
  ImapClient idler = server.select();
  idler.send("i IDLE\r\n");
  CHECK(idler.read() == "+ idling");
  CHECK(server.host().shut_down(std::chrono::seconds(5)));
  CHECK(quiet.read() == "* BYE The server is shutting down");
  CHECK(idler.read() == "* BYE The server is shutting down");
}

TEST_CASE("pipelined commands are answered in order wherever their bytes are cut") {
  ImapServer server;
  {
    ImapClient client = server.login();
    client.append("INBOX", small_message);
  }
  const std::string script =
      "a LOGIN {5}\r\nalice secret\r\nb SELECT INBOX\r\nc FETCH 1 FLAGS\r\nd APPEND Sent {6+}\r\nA: b\r\n\r\n"
      "e IDLE\r\nDONE\r\nf SEARCH ALL\r\ng X\r\nh LOGOUT\r\n";
  for (std::size_t cut = 1; cut < script.size(); cut += 3) {
    CAPTURE(cut);
    ImapClient client = server.connect();
    client.send(script.substr(0, cut));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    client.send(script.substr(cut));
    std::string order;
    for (;;) {
      const std::string line = client.read();
      if (line.empty()) break;
      if (line.size() > 2 && line[1] == ' ' && line[0] != '*' && line[0] != '+') order += line.substr(0, 4) + "|";
    }
    CHECK(order == "a OK|b OK|c OK|d OK|e OK|f OK|g BA|h OK|");
  }
}
