// POP3 sessions over socket pairs on the memory backend: what the commands answer, and when they may be given.
#include "server/pop3/session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "server/pop3/command_table.h"
#include "server/pop3/dispatch.h"
#include "tests/server/pop3/pop3_fixture.h"

using namespace postkeep;
using namespace postkeep::test;
using namespace std::chrono_literals;

namespace {

const std::string dotted = "Subject: dots\r\n\r\n.\r\n..two\r\n.three\r\nend\r\n";
}  // namespace

TEST_CASE("a session from USER to QUIT") {
  Pop3Server server;
  ImapClient imap = server.login();
  imap.append("INBOX", small_message);
  imap.append("INBOX", dotted);
  const std::string total = std::to_string(small_message.size() + dotted.size());
  Pop3Client pop3 = server.connect_pop3();
  CHECK(pop3.ask("user alice").starts_with("+OK"));
  CHECK(pop3.ask("PASS secret") == "+OK Logged in");
  CHECK(pop3.ask("STAT") == "+OK 2 " + total);
  CHECK(pop3.list("LIST") == Lines{"1 " + std::to_string(small_message.size()), "2 " + std::to_string(dotted.size())});
  CHECK(pop3.ask("LIST 2") == "+OK 2 " + std::to_string(dotted.size()));
  const Lines ids = pop3.list("UIDL");
  REQUIRE(ids.size() == 2);
  CHECK(pop3.ask("UIDL 1") == "+OK " + ids[0]);
  CHECK(pop3.message("RETR 1") == small_message);
  CHECK(pop3.message("RETR 2") == dotted);
  CHECK(pop3.ask("DELE 1").starts_with("+OK"));
  CHECK(pop3.ask("STAT") == "+OK 1 " + std::to_string(dotted.size()));
  CHECK(pop3.list("LIST") == Lines{"2 " + std::to_string(dotted.size())});
  CHECK(pop3.list("UIDL") == Lines{ids[1]});
  for (const char* command : {"RETR 1", "LIST 1", "UIDL 1", "TOP 1 0", "DELE 1", "RETR 3", "RETR 0"}) {
    CHECK_MESSAGE(pop3.ask(command).starts_with("-ERR "), command);
  }
  CHECK(pop3.ask("NOOP").starts_with("+OK"));
  CHECK(pop3.ask("RSET") == "+OK 2 messages (" + total + " octets)");
  CHECK(pop3.ask("DELE 2").starts_with("+OK"));
  CHECK(pop3.ask("QUIT") == "+OK Bye");
  CHECK(pop3.at_end());
  CHECK(contains(imap.run("STATUS INBOX (MESSAGES)"), "MESSAGES 1"));
}

TEST_CASE("each row of the tables stands for itself, and what a command needs is advertised") {
  std::set<std::string_view> names;
  std::set<std::string_view> tags;
  for (const pop3::CapabilityRow& row : pop3::capabilities()) {
    CHECK_MESSAGE(tags.insert(row.tag).second, row.tag);
    CHECK(row.rfc.starts_with("RFC "));
  }
  for (const pop3::CommandRow& row : pop3::commands()) {
    CHECK_MESSAGE(names.insert(row.name).second, row.name);
    CHECK(row.rfc.starts_with("RFC "));
    CHECK((row.name.size() == 3 || row.name.size() == 4));
    CHECK_MESSAGE((row.capability.empty() || tags.count(row.capability) == 1), row.name);
    CHECK(pop3::find_command(row.name) == &row);
  }
  CHECK(pop3::find_command("LAST") == nullptr);
}

TEST_CASE("no command does anything in a state that it is not for") {
  Pop3Server server;
  ImapClient imap = server.login();
  imap.append("INBOX", small_message);
  for (const pop3::CommandRow& row : pop3::commands()) {
    const std::string name(row.name);
    CAPTURE(name);
    const std::string arguments = name == "TOP" ? " 1 0" : " 1";
    if (!row.states.has(pop3::State::authorization)) {
      Pop3Client pop3 = server.connect_pop3();
      CHECK(pop3.ask(name) == "-ERR Log in first");
      CHECK(pop3.ask(name + arguments) == "-ERR Log in first");
    }
    if (!row.states.has(pop3::State::transaction)) {
      Pop3Client pop3 = server.login_pop3();
      CHECK(pop3.ask(name + " alice") == "-ERR Already logged in");
      CHECK(pop3.ask("STAT").starts_with("+OK 1 "));
    }
  }
}

TEST_CASE("CAPA tells the same before and after login, STLS aside") {
  Pop3Server server;
  Pop3Client pop3 = server.connect_pop3();
  const Lines before = pop3.list("CAPA");
  for (const char* line : {"TOP", "USER", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "IMPLEMENTATION "}) {
    CHECK_MESSAGE(contains(before, line), line);
  }
  CHECK(contains(before, "SASL SCRAM-SHA-256 PLAIN LOGIN"));
  CHECK_FALSE(contains(before, "STLS"));  // there is no certificate here
  CHECK(pop3.ask("STLS").starts_with("-ERR"));
  CHECK(server.login_pop3().list("CAPA") == before);
}

TEST_CASE("no password is taken where others could read it") {
  Pop3Server server;
  Pop3Client pop3 = server.connect_pop3(ImapServer::From::elsewhere);
  const Lines capabilities = pop3.list("CAPA");
  CHECK(std::count(capabilities.begin(), capabilities.end(), "USER") == 0);
  CHECK_FALSE(contains(capabilities, "PLAIN"));
  CHECK(pop3.ask("USER alice").starts_with("-ERR [AUTH] "));
  CHECK(pop3.ask("PASS secret") == "-ERR Send USER first");
  CHECK(pop3.ask("AUTH PLAIN AGFsaWNlAHNlY3JldA==").starts_with("-ERR [AUTH] "));
  CHECK(pop3.ask("STAT") == "-ERR Log in first");
}

TEST_CASE("AUTH with and without an initial response, cancelled, malformed, and alone") {
  Pop3Server server;
  CHECK(server.connect_pop3().ask("AUTH PLAIN AGFsaWNlAHNlY3JldA==") == "+OK Logged in");
  Pop3Client pop3 = server.connect_pop3();
  CHECK(contains(pop3.list("AUTH"), "PLAIN"));
  CHECK(pop3.ask("AUTH BLURDY").starts_with("-ERR"));
  CHECK(pop3.ask("auth plain") == "+ ");
  CHECK(pop3.ask("*").starts_with("-ERR"));
  CHECK(pop3.ask("AUTH PLAIN") == "+ ");
  CHECK(pop3.ask("=AGFs").starts_with("-ERR"));
  CHECK(pop3.ask("AUTH PLAIN AGFsaWNlAHdyb25n").starts_with("-ERR [AUTH] "));
  CHECK(pop3.ask("AUTH PLAIN") == "+ ");
  CHECK(pop3.ask("AGFsaWNlAHNlY3JldA==") == "+OK Logged in");
  CHECK(pop3.ask("AUTH PLAIN") == "-ERR Already logged in");
  CHECK(pop3.ask("STAT") == "+OK 0 0");
}

TEST_CASE("wrong names and wrong passwords are answered alike, and not for ever") {
  Settings settings = test_settings();
  settings.limits.login_attempts = 3;
  Pop3Server server(settings);
  Pop3Client pop3 = server.connect_pop3();
  std::set<std::string> answers;
  for (const char* name : {"alice", "nobody", "alice"}) {
    CHECK(pop3.ask(std::string("USER ") + name) == "+OK Send PASS");
    answers.insert(pop3.ask("PASS wrong"));
  }
  CHECK(answers.size() == 1);
  CHECK(answers.begin()->starts_with("-ERR [AUTH] "));
  CHECK(pop3.at_end());
}

TEST_CASE("PASS is for the USER right before it") {
  Pop3Server server;
  Pop3Client pop3 = server.connect_pop3();
  CHECK(pop3.ask("PASS secret") == "-ERR Send USER first");
  CHECK(pop3.ask("USER alice").starts_with("+OK"));
  CHECK(pop3.list("CAPA").size() > 5);
  CHECK(pop3.ask("PASS secret") == "-ERR Send USER first");
  CHECK(pop3.ask("USER bob").starts_with("+OK"));
  CHECK(pop3.ask("USER alice").starts_with("+OK"));
  CHECK(pop3.ask("PASS secret").starts_with("+OK"));
}

TEST_CASE("commands that make no sense are refused, and end the session in the end") {
  Settings settings = test_settings();
  settings.limits.bad_commands = 8;
  Pop3Server server(settings);
  Pop3Client pop3 = server.login_pop3();
  for (const std::string command : {"BLURDY", "", "RETR", "RETR one", "TOP 1", "NOOP 1", "STAT x"}) {
    CHECK_MESSAGE(pop3.ask(command).starts_with("-ERR "), command);
  }
  CHECK(pop3.ask("STAT") == "+OK 0 0");
  CHECK(pop3.ask(std::string(200'000, 'A')) == "-ERR Line too long");
  CHECK(pop3.at_end());
}

TEST_CASE("errors have the code of what is to blame") {
  CHECK(pop3::response_code(ErrorKind::authentication_failed) == "AUTH");
  CHECK(pop3::response_code(ErrorKind::privacy_required) == "AUTH");
  CHECK(pop3::response_code(ErrorKind::in_use) == "IN-USE");
  CHECK(pop3::response_code(ErrorKind::limit) == "SYS/TEMP");
  CHECK(pop3::response_code(ErrorKind::unavailable) == "SYS/TEMP");
  CHECK(pop3::response_code(ErrorKind::corruption) == "SYS/PERM");
  CHECK(pop3::response_code(ErrorKind::not_found) == "");
  CHECK(pop3::response_code(ErrorKind::bad_syntax) == "");
}

TEST_CASE("a pipelined session is answered alike wherever it is cut") {
  Pop3Server server;
  server.login().append("INBOX", dotted);
  const std::string script =
      "CAPA\r\nUSER alice\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nTOP 1 1\r\nDELE 1\r\nLIST\r\nRSET\r\nUIDL\r\nQUIT\r\n";
  std::string first;
  for (std::size_t cut = 0; cut < script.size(); cut += 3) {
    Pop3Client pop3 = server.connect_pop3();
    pop3.send(std::string_view(script).substr(0, cut));
    std::this_thread::sleep_for(200us);
    pop3.send(std::string_view(script).substr(cut));
    std::string all;
    for (std::string line = pop3.line(); line != "+OK Bye"; line = pop3.line()) all += line + "\n";
    if (first.empty()) first = all;
    CHECK(all == first);
    CHECK(pop3.at_end());
  }
  CHECK(first.find("\n..\n...two\n..three\nend\n.\n") != std::string::npos);
}

TEST_CASE("a client that says nothing is left without a word, and nothing is deleted") {
  Settings settings = test_settings();
  settings.limits.pop3_timeout = 1s;
  settings.limits.time_to_authenticate = 1s;
  Pop3Server server(settings);
  server.login().append("INBOX", small_message);
  Pop3Client stranger = server.connect_pop3();
  Pop3Client pop3 = server.login_pop3();
  CHECK(pop3.ask("DELE 1").starts_with("+OK"));
  CHECK(pop3.at_end());
  CHECK(stranger.at_end());
  CHECK(server.login_pop3().ask("STAT").starts_with("+OK 1 "));
}

TEST_CASE("shutdown tells whoever waits, and deletes nothing") {
  auto server = std::make_unique<Pop3Server>();
  server->login().append("INBOX", small_message);
  Pop3Client pop3 = server->login_pop3();
  CHECK(pop3.ask("DELE 1").starts_with("+OK"));
  std::thread ending([&] { CHECK(server->host().shut_down(5s)); });
  CHECK(pop3.line().starts_with("-ERR [SYS/TEMP] "));
  CHECK(pop3.at_end());
  pop3.hang_up();
  ending.join();
}

TEST_CASE("a user with too many sessions is told that it is not the password") {
  Settings settings = test_settings();
  Pop3Server server(settings);
  server.limit_sessions_per_user(1);
  const Pop3Client one = server.login_pop3();
  Pop3Client two = server.connect_pop3();
  CHECK(two.ask("USER alice").starts_with("+OK"));
  CHECK(two.ask("PASS secret").starts_with("-ERR [SYS/TEMP] "));
}

TEST_CASE("CAPA tells how long messages stay, how often one may log in, and the program's name where it may") {
  Pop3Server plain;
  Lines lines = plain.connect_pop3().list("CAPA");
  CHECK(contains(lines, "EXPIRE NEVER"));
  CHECK(contains(lines, "IMPLEMENTATION Postkeep"));
  CHECK_FALSE(contains(lines, "LOGIN-DELAY"));
  Settings settings = test_settings();
  settings.pop3.expire_days = 30;
  settings.pop3.login_delay = 900s;
  settings.pop3.implementation = NameProgram::after_login;
  Pop3Server server(settings);
  lines = server.connect_pop3().list("CAPA");
  CHECK(contains(lines, "EXPIRE 30"));
  CHECK(contains(lines, "LOGIN-DELAY 900"));
  CHECK_FALSE(contains(lines, "IMPLEMENTATION"));
  lines = server.login_pop3().list("CAPA");
  CHECK(contains(lines, "EXPIRE 30"));
  CHECK(contains(lines, "LOGIN-DELAY 900"));
  CHECK(contains(lines, "IMPLEMENTATION Postkeep"));
  settings.pop3.expire_days = 0;
  settings.pop3.implementation = NameProgram::never;
  settings.pop3.login_delay = 0s;
  Pop3Server silent(settings);
  lines = silent.login_pop3().list("CAPA");
  CHECK(contains(lines, "EXPIRE 0"));
  CHECK_FALSE(contains(lines, "IMPLEMENTATION"));
}

TEST_CASE("who logs in too soon is told so, by PASS and by AUTH, and others are not kept out") {
  Settings settings = test_settings();
  settings.pop3.login_delay = 900s;
  settings.limits.login_attempts = 4;
  Pop3Server server(settings);
  Pop3Client wrong = server.connect_pop3();
  CHECK(wrong.ask("USER alice").starts_with("+OK"));
  CHECK(wrong.ask("PASS wrong").starts_with("-ERR [AUTH] "));  // counts for nothing
  Pop3Client first = server.login_pop3();
  CHECK(first.ask("QUIT") == "+OK Bye");
  Pop3Client second = server.connect_pop3();
  CHECK(second.ask("USER alice") == "+OK Send PASS");
  CHECK(second.ask("PASS secret").starts_with("-ERR [LOGIN-DELAY] "));
  CHECK(second.ask("STAT") == "-ERR Log in first");
  CHECK(second.ask("AUTH PLAIN AGFsaWNlAHNlY3JldA==").starts_with("-ERR [LOGIN-DELAY] "));
  CHECK(second.ask("USER alice") == "+OK Send PASS");
  CHECK(second.ask("PASS wrong").starts_with("-ERR [AUTH] "));
  server.login_pop3("bob");
  CHECK(second.ask("AUTH PLAIN AGFsaWNlAHNlY3JldA==").starts_with("-ERR [LOGIN-DELAY] "));
  CHECK(second.at_end());
  CHECK(server.login("alice").ok("NOOP").starts_with("OK"));  // IMAP waits for nothing
}

TEST_CASE(
    "a login that is refused for its time takes no place, and one whose maildrop cannot be opened does not count") {
  Settings settings = test_settings();
  settings.pop3.login_delay = 900s;
  Pop3Server server(settings);
  server.limit_sessions_per_user(2);
  const Pop3Client first = server.login_pop3();
  Pop3Client second = server.connect_pop3();
  CHECK(second.ask("AUTH PLAIN AGFsaWNlAHNlY3JldA==").starts_with("-ERR [LOGIN-DELAY] "));
  CHECK(server.login("alice").ok("NOOP").starts_with("OK"));
  CHECK(server.gateway().close(5s));
  for (int i = 0; i < 2; ++i) {
    CHECK(server.connect_pop3().ask("AUTH PLAIN AGJvYgBzZWNyZXQ=").starts_with("-ERR [SYS/TEMP] "));
  }
}

TEST_CASE("UTF8 is said before login, once STLS is over") {
  Pop3Server server;
  Pop3Client pop3 = server.connect_pop3();
  CHECK(contains(pop3.list("CAPA"), "UTF8 USER"));
  CHECK(pop3.ask("UTF8 x").starts_with("-ERR"));
  CHECK(pop3.ask("UTF8") == "+OK UTF-8 enabled");
  CHECK(pop3.ask("UTF8").starts_with("+OK"));
  CHECK(pop3.ask("STLS") == "-ERR STLS has to come before UTF8");
  CHECK(pop3.ask("USER alice").starts_with("+OK"));
  CHECK(pop3.ask("PASS secret").starts_with("+OK"));
  CHECK(pop3.ask("UTF8") == "-ERR Already logged in");
}

TEST_CASE("a name in UTF-8 is prepared, and what can be nobody's name is refused without looking") {
  Pop3Server server;
  Pop3Client pop3 = server.connect_pop3();
  CHECK(pop3.ask("USER \xEF\xBD\x81lice").starts_with("+OK"));  // a wide "a"
  CHECK(pop3.ask("PASS secret") == "+OK Logged in");
  Pop3Client other = server.connect_pop3();
  CHECK(other.ask("USER ali\xE7") == "-ERR This can be nobody's name");  // Latin-1
  CHECK(other.ask("PASS secret") == "-ERR Send USER first");
  CHECK(other.ask("USER al\xC2\x80ice") == "-ERR This can be nobody's name");
  CHECK(other.ask("USER alice").starts_with("+OK"));
  CHECK(other.ask("PASS secr\xE9t").starts_with("-ERR [AUTH] "));
}

TEST_CASE("LANG speaks English, and says so") {
  Pop3Server server;
  Pop3Client pop3 = server.connect_pop3();
  CHECK(contains(pop3.list("CAPA"), "LANG"));
  CHECK(pop3.list("LANG") == Lines{"en English"});
  CHECK(pop3.ask("LANG en").starts_with("+OK en "));
  CHECK(pop3.ask("LANG EN-gb").starts_with("+OK en "));
  CHECK(pop3.ask("LANG *").starts_with("+OK en "));
  CHECK(pop3.ask("LANG enm") == "-ERR This language is not spoken here");
  CHECK(pop3.ask("LANG i-default").starts_with("-ERR"));
  CHECK(pop3.ask("LANG e1") == "-ERR This is no language range");
  CHECK(server.login_pop3().ask("LANG *").starts_with("+OK en "));
}
