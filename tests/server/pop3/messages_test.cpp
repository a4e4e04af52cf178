// What POP3 sessions see of a mailbox that others change, what they leave behind, and messages octet for octet.
#include <doctest/doctest.h>

#include "tests/server/pop3/pop3_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

std::string numbered(int number) { return "Subject: " + std::to_string(number) + "\r\n\r\nbody\r\n"; }

}  // namespace

TEST_CASE("the maildrop is fixed at login: what others deliver and expunge moves no numbers") {
  Pop3Server server;
  ImapClient imap = server.select();
  for (int i = 1; i <= 3; ++i) imap.append("INBOX", numbered(i));
  Pop3Client pop3 = server.login_pop3();
  const Lines before = pop3.list("UIDL");
  imap.append("INBOX", numbered(4));
  CHECK(imap.ok("STORE 2 +FLAGS.SILENT (\\Deleted)").starts_with("OK"));
  CHECK(imap.ok("EXPUNGE").starts_with("OK"));
  CHECK(pop3.ask("STAT").starts_with("+OK 3 "));
  CHECK(pop3.list("UIDL") == before);
  CHECK(pop3.message("RETR 3") == numbered(3));
  CHECK(pop3.ask("RETR 2") == "-ERR The message was deleted by another session");
  CHECK(pop3.ask("TOP 2 0") == "-ERR The message was deleted by another session");
  CHECK(pop3.ask("RETR 4") == "-ERR No such message");
  CHECK(pop3.ask("DELE 2").starts_with("+OK"));
  CHECK(pop3.ask("QUIT") == "+OK Bye");
  const Lines after = server.login_pop3().list("UIDL");
  REQUIRE(after.size() == 3);
  CHECK(after[0] == before[0]);
  CHECK(after[1] == "2" + before[2].substr(1));
}

TEST_CASE("what is read ahead for a client that goes in order is not given out once it is expunged") {
  Pop3Server server;
  ImapClient imap = server.select();
  for (int i = 1; i <= 150; ++i) imap.append("INBOX", i == 5 ? std::string(70'000, 'x') + "\r\n" : numbered(i));
  Pop3Client pop3 = server.login_pop3();
  for (int i = 1; i <= 10; ++i) {
    if (i != 5) CHECK(pop3.message("RETR " + std::to_string(i)) == numbered(i));
    if (i == 5) CHECK((pop3.message("RETR 5") == std::string(70'000, 'x') + "\r\n"));
  }
  CHECK(imap.ok("STORE 12 +FLAGS.SILENT (\\Deleted)").starts_with("OK"));
  CHECK(imap.ok("EXPUNGE").starts_with("OK"));
  CHECK(pop3.message("RETR 11") == numbered(11));
  CHECK(pop3.ask("RETR 12") == "-ERR The message was deleted by another session");
  CHECK(pop3.ask("DELE 14").starts_with("+OK"));
  for (int i = 13; i <= 150; ++i) {
    if (i != 14) CHECK(pop3.message("RETR " + std::to_string(i)) == numbered(i));
  }
  CHECK(pop3.message("RETR 3") == numbered(3));
}

TEST_CASE("a unique-id outlives renumbering, and INBOX being renamed away gives none of them again") {
  Pop3Server server;
  ImapClient imap = server.login();
  for (int i = 1; i <= 3; ++i) imap.append("INBOX", numbered(i));
  const Lines old = server.login_pop3().list("UIDL");
  CHECK(imap.ok("RENAME INBOX Old").starts_with("OK"));
  CHECK(server.login_pop3().ask("STAT") == "+OK 0 0");
  CHECK(imap.ok("SELECT Old").starts_with("OK"));
  CHECK(imap.ok("MOVE 1:* INBOX").starts_with("OK"));
  const Lines moved_back = server.login_pop3().list("UIDL");
  CHECK(moved_back.size() == 3);
  for (const std::string& line : moved_back) {
    for (const std::string& before : old) CHECK(line.substr(2) != before.substr(2));
  }
}

TEST_CASE("only QUIT deletes, and only what this session marked") {
  Pop3Server server;
  ImapClient imap = server.select();
  for (int i = 1; i <= 4; ++i) imap.append("INBOX", numbered(i));
  CHECK(imap.ok("STORE 4 +FLAGS.SILENT (\\Deleted)").starts_with("OK"));
  Pop3Client dropped = server.login_pop3();
  CHECK(dropped.ask("DELE 1").starts_with("+OK"));
  dropped.hang_up();
  Pop3Client closed = server.login_pop3();
  CHECK(closed.ask("DELE 1").starts_with("+OK"));
  closed.half_close();
  CHECK(closed.at_end());
  Pop3Client reset = server.login_pop3();
  CHECK(reset.ask("DELE 1").starts_with("+OK"));
  CHECK(reset.ask("RSET").starts_with("+OK"));
  CHECK(reset.ask("QUIT") == "+OK Bye");
  CHECK(contains(imap.run("NOOP"), "OK"));
  CHECK(contains(imap.run("STATUS INBOX (MESSAGES DELETED)"), "MESSAGES 4 DELETED 1"));

  Pop3Client quits = server.login_pop3();
  CHECK(quits.ask("DELE 1").starts_with("+OK"));
  CHECK(quits.ask("DELE 3").starts_with("+OK"));
  CHECK(quits.ask("QUIT") == "+OK Bye");
  const Lines told = imap.run("NOOP");
  CHECK(contains(told, "* 1 EXPUNGE"));
  CHECK(contains(told, "* 3 EXPUNGE"));
  CHECK(contains(imap.run("FETCH 1:* (FLAGS)"), "\\Deleted"));
  CHECK(contains(imap.run("STATUS INBOX (MESSAGES DELETED)"), "MESSAGES 2 DELETED 1"));
}

TEST_CASE("two sessions may delete at the same time, also the same messages") {
  Pop3Server server;
  ImapClient imap = server.login();
  for (int i = 1; i <= 3; ++i) imap.append("INBOX", numbered(i));
  Pop3Client one = server.login_pop3();
  Pop3Client two = server.login_pop3();
  for (const char* command : {"DELE 1", "DELE 2"}) CHECK(one.ask(command).starts_with("+OK"));
  for (const char* command : {"DELE 2", "DELE 3"}) CHECK(two.ask(command).starts_with("+OK"));
  CHECK(one.ask("QUIT") == "+OK Bye");
  CHECK(two.ask("RETR 3") == "-ERR The message is marked as deleted");
  CHECK(two.ask("RETR 1") == "-ERR The message was deleted by another session");
  CHECK(two.ask("QUIT") == "+OK Bye");
  CHECK(server.login_pop3().ask("STAT") == "+OK 0 0");
}

TEST_CASE("RETR makes a message seen, however the session ends; TOP does not") {
  Pop3Server server;
  ImapClient imap = server.login();
  for (int i = 1; i <= 3; ++i) imap.append("INBOX", numbered(i));
  Pop3Client quits = server.login_pop3();
  CHECK(quits.message("RETR 1") == numbered(1));
  CHECK(quits.message("TOP 2 100") == numbered(2));
  CHECK(quits.ask("QUIT") == "+OK Bye");
  CHECK(contains(imap.run("STATUS INBOX (UNSEEN)"), "UNSEEN 2"));
  Pop3Client closed = server.login_pop3();
  CHECK(closed.message("RETR 2") == numbered(2));
  closed.half_close();
  CHECK(closed.at_end());
  CHECK(contains(imap.run("STATUS INBOX (UNSEEN)"), "UNSEEN 1"));
}

TEST_CASE("a message comes out as it is, and one that ends inside a line gets its end, which is counted") {
  Pop3Server server;
  ImapClient imap = server.login();
  std::string long_dots;
  for (int i = 0; i < 60'000; ++i) long_dots += i % 3 == 0 ? ".\r\n" : "..dots\r\n";
  const std::vector<std::string> messages = {"Subject: x\r\n\r\nends in text",
                                             "\r\n",
                                             "no header at all",
                                             "Subject: only header\r\n",
                                             "Subject: crs\r\n\r\na\rb\r\r\n",
                                             ".\r\n",
                                             "Subject: long\r\n\r\n" + long_dots,
                                             "Subject: one line\r\n\r\n" + std::string(600'000, 'x') + "\r\n.\r\n"};
  for (const std::string& message : messages) imap.append("INBOX", message);
  Pop3Client pop3 = server.login_pop3();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CAPTURE(i);
    const std::string number = std::to_string(i + 1);
    const std::string expected = messages[i] + (messages[i].ends_with("\r\n") ? "" : "\r\n");
    total += expected.size();
    CHECK(pop3.ask("LIST " + number) == "+OK " + number + " " + std::to_string(expected.size()));
    CHECK((pop3.message("RETR " + number) == expected));
  }
  CHECK(pop3.ask("STAT") == "+OK " + std::to_string(messages.size()) + " " + std::to_string(total));
}

TEST_CASE("TOP sends the header, the empty line and so many lines") {
  Pop3Server server;
  ImapClient imap = server.login();
  const std::string header = "Subject: top\r\nTo: x@example.org\r\n\r\n";
  imap.append("INBOX", header + "one\r\n.two\r\n\r\nfour");
  imap.append("INBOX", "Subject: no empty line\r\n");
  imap.append("INBOX", header);
  Pop3Client pop3 = server.login_pop3();
  CHECK(pop3.message("TOP 1 0") == header);
  CHECK(pop3.message("TOP 1 2") == header + "one\r\n.two\r\n");
  CHECK(pop3.message("TOP 1 3") == header + "one\r\n.two\r\n\r\n");
  CHECK(pop3.message("TOP 1 4") == header + "one\r\n.two\r\n\r\nfour\r\n");
  CHECK(pop3.message("TOP 1 99999999999999999999999") == header + "one\r\n.two\r\n\r\nfour\r\n");
  CHECK(pop3.message("TOP 2 5") == "Subject: no empty line\r\n");
  CHECK(pop3.message("TOP 3 0") == header);
  CHECK(pop3.message("TOP 3 5") == header);
}

TEST_CASE("storage that fails is told as such, and not as a deletion that was done") {
  Pop3Server server;
  server.login().append("INBOX", numbered(1));
  Pop3Client pop3 = server.login_pop3();
  Pop3Client late = server.connect_pop3();
  CHECK(pop3.ask("DELE 1").starts_with("+OK"));
  CHECK(server.gateway().close(std::chrono::seconds(5)));
  CHECK(pop3.ask("RSET").starts_with("+OK"));
  CHECK(pop3.ask("RETR 1").starts_with("-ERR [SYS/TEMP] "));
  CHECK(pop3.ask("DELE 1").starts_with("+OK"));
  CHECK(pop3.ask("QUIT") == "-ERR [SYS/TEMP] Some deleted messages were not removed");
  CHECK(pop3.at_end());
  CHECK(late.ask("USER alice").starts_with("+OK"));
  CHECK(late.ask("PASS secret").starts_with("-ERR [SYS/TEMP] "));
  CHECK(late.at_end());
}

TEST_CASE("a NUL goes through as itself") {
  Pop3Server server;
  ImapClient imap = server.login();
  const std::string message = std::string("Subject: nul\r\n\r\na") + '\0' + "b\r\n";
  const std::string literal = "~{" + std::to_string(message.size()) + "+}\r\n" + message;
  REQUIRE(imap.ok("APPEND INBOX " + literal).starts_with("OK"));
  CHECK(server.login_pop3().message("RETR 1") == message);
}

TEST_CASE("a maildrop of thousands is listed whole") {
  Pop3Server server;
  ImapClient imap = server.login();
  std::string multi;
  const std::string message = numbered(0);
  for (int i = 0; i < 500; ++i) multi += " {" + std::to_string(message.size()) + "+}\r\n" + message;
  for (int i = 0; i < 6; ++i) REQUIRE(imap.ok("APPEND INBOX" + multi).starts_with("OK"));
  Pop3Client pop3 = server.login_pop3();
  CHECK(pop3.ask("STAT") == "+OK 3000 " + std::to_string(3'000 * message.size()));
  CHECK(pop3.list("LIST").size() == 3'000);
  const Lines ids = pop3.list("UIDL");
  REQUIRE(ids.size() == 3'000);
  CHECK(ids.back().starts_with("3000 "));
  for (const char* number : {"1", "1500", "3000"}) CHECK(pop3.ask(std::string("DELE ") + number).starts_with("+OK"));
  CHECK(pop3.list("UIDL").size() == 2'997);
  CHECK(pop3.ask("QUIT") == "+OK Bye");
  CHECK(server.login_pop3().ask("STAT").starts_with("+OK 2997 "));
}

TEST_CASE("TOP and RETR at the edges: nothing, only an end of line, a long header, megabytes") {
  Pop3Server server;
  ImapClient imap = server.login();
  std::string long_header;
  for (int i = 0; i < 9'000; ++i) long_header += "X-Line-" + std::to_string(i) + ": " + std::string(30, 'h') + "\r\n";
  std::string body;
  for (int i = 0; i < 60'000; ++i) body += std::to_string(i) + " " + std::string(50, 'b') + "\r\n";
  imap.append("INBOX", "\r\n");
  imap.append("INBOX", "\r\n\r\n.\r\n");
  imap.append("INBOX", long_header + "\r\n" + body);
  Pop3Client pop3 = server.login_pop3();
  CHECK(pop3.message("TOP 1 0") == "\r\n");
  CHECK(pop3.message("TOP 1 7") == "\r\n");
  CHECK(pop3.message("TOP 2 0") == "\r\n");
  CHECK(pop3.message("TOP 2 1") == "\r\n\r\n");
  CHECK(pop3.message("TOP 2 2") == "\r\n\r\n.\r\n");
  CHECK((pop3.message("TOP 3 0") == long_header + "\r\n"));
  CHECK((pop3.message("TOP 3 1") == long_header + "\r\n0 " + std::string(50, 'b') + "\r\n"));
  CHECK((pop3.message("TOP 3 60000") == long_header + "\r\n" + body));
  CHECK((pop3.message("TOP 3 60001") == long_header + "\r\n" + body));
  CHECK((pop3.message("RETR 3") == long_header + "\r\n" + body));
  for (const char* command :
       {"TOP 1", "TOP 1 -1", "TOP -1 1", "TOP 0 1", "TOP 4 1", "TOP 1 x", "TOP 1 1 1", "RETR -1",
        "RETR 99999999999999999999", "LIST 0", "LIST -1", "DELE 99999999999999999999", "UIDL 1 2", "LAST"}) {
    CHECK_MESSAGE(pop3.ask(command).starts_with("-ERR "), command);
  }
  CHECK(pop3.ask("DELE 3").starts_with("+OK"));
  CHECK(pop3.ask("DELE 3") == "-ERR The message is marked as deleted");
  CHECK(pop3.ask("TOP 3 0") == "-ERR The message is marked as deleted");
  CHECK(pop3.ask("RSET").starts_with("+OK"));
  CHECK(pop3.ask("LIST 3").starts_with("+OK 3 "));
}

TEST_CASE(
    "a header in 8 bits is withheld from who has not said UTF8, where the configuration wants it; bodies are not") {
  const std::string latin = "Subject: caf\xE9\r\n\r\nbody\r\n";
  const std::string utf8 = "Subject: caf\xC3\xA9\r\n\r\nbody\r\n";
  const std::string body = "Subject: cafe\r\n\r\ncaf\xC3\xA9\r\n";
  const std::string large = "Subject: caf\xC3\xA9\r\n\r\n" + std::string(200'000, 'x') + "\r\n";
  for (const Utf8Messages policy : {Utf8Messages::send, Utf8Messages::refuse}) {
    Settings settings = test_settings();
    settings.pop3.utf8_messages = policy;
    Pop3Server server(settings);
    ImapClient imap = server.login();
    for (const std::string& message : {latin, utf8, body, large}) imap.append("INBOX", message);
    Pop3Client plain = server.login_pop3();
    CHECK(plain.message("RETR 3") == body);
    for (const char* command : {"RETR 1", "RETR 2", "TOP 2 0", "RETR 4", "TOP 4 1"}) {
      CAPTURE(command);
      const std::string answer = plain.ask(command);
      const bool is_refused = policy == Utf8Messages::refuse;
      CHECK(answer.starts_with(is_refused ? "-ERR [UTF8] " : "+OK"));
      if (!is_refused) plain.rest();
    }
    Pop3Client knowing = server.connect_pop3();
    CHECK(knowing.ask("UTF8").starts_with("+OK"));
    CHECK(knowing.ask("USER alice").starts_with("+OK"));
    CHECK(knowing.ask("PASS secret").starts_with("+OK"));
    CHECK(knowing.message("RETR 1") == latin);
    CHECK(knowing.message("RETR 2") == utf8);
    CHECK(knowing.message("TOP 2 0") == "Subject: caf\xC3\xA9\r\n\r\n");
    CHECK((knowing.message("RETR 4") == large));
  }
}

TEST_CASE("UIDL writes unique-ids as the configuration says") {
  Settings settings = test_settings();
  settings.pop3.uidl_format = "%v-%u";
  Pop3Server server(settings);
  server.login().append("INBOX", numbered(1));
  const Lines ids = server.login_pop3().list("UIDL");
  REQUIRE(ids.size() == 1);
  CHECK(ids[0].ends_with("-1"));
  CHECK(ids[0].substr(2, ids[0].size() - 4).find_first_not_of("0123456789") == std::string::npos);
}

TEST_CASE(
    "with 0 days what RETR sent goes with QUIT, but for what is flagged, and not with a session that ends otherwise") {
  Settings settings = test_settings();
  settings.pop3.expire_days = 0;
  Pop3Server server(settings);
  ImapClient imap = server.select();
  for (int i = 1; i <= 4; ++i) imap.append("INBOX", numbered(i));
  Pop3Client dropped = server.login_pop3();
  CHECK(dropped.message("RETR 1") == numbered(1));
  dropped.half_close();
  CHECK(dropped.at_end());
  Pop3Client pop3 = server.login_pop3();
  CHECK(pop3.message("RETR 2") == numbered(2));
  CHECK(pop3.message("RETR 3") == numbered(3));
  CHECK(pop3.message("TOP 4 10") == numbered(4));
  CHECK(imap.ok("STORE 3 +FLAGS.SILENT (\\Flagged)").starts_with("OK"));
  CHECK(pop3.ask("QUIT") == "+OK Bye");
  CHECK(contains(imap.run("NOOP"), "* 2 EXPUNGE"));
  const Lines ids = server.login_pop3().list("UIDL");
  REQUIRE(ids.size() == 3);
  CHECK_FALSE(contains(imap.run("FETCH 1:* (FLAGS)"), "$POP3Retrieved"));
}

TEST_CASE("with days what POP3 has fetched stays so long, and is known by a keyword that IMAP does not set") {
  Settings settings = test_settings();
  settings.pop3.expire_days = 30;
  Pop3Server server(settings);
  ImapClient imap = server.select();
  for (int i = 1; i <= 2; ++i) imap.append("INBOX", numbered(i));
  Pop3Client pop3 = server.login_pop3();
  CHECK(pop3.message("RETR 1") == numbered(1));
  CHECK(pop3.ask("QUIT") == "+OK Bye");
  CHECK(contains(imap.run("FETCH 1 (FLAGS)"), "\\Seen $POP3Retrieved"));
  CHECK_FALSE(contains(imap.run("FETCH 2 (FLAGS)"), "$POP3Retrieved"));
  CHECK(server.login_pop3().ask("STAT").starts_with("+OK 2 "));
}
