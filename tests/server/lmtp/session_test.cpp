// LMTP sessions over socket pairs on the memory backend.
#include "server/lmtp/session.h"

#include <doctest/doctest.h>

#include "tests/server/lmtp/lmtp_server.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace postkeep::test;
using namespace std::chrono_literals;

TEST_CASE("a pipelined delivery gets one reply per command and one per recipient") {
  LmtpServer server;
  const std::string replies =
      server.talk(hello +
                  "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice>\r\nRCPT TO:<nobody@test.example>\r\n"
                  "RCPT TO:<bob+lists@localhost>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n" +
                  quit);
  CHECK(server.greeting.starts_with("220 test.example "));
  CHECK(codes(replies) == Codes{"250", "250", "250", "550", "250", "354", "250", "250", "221"});
  CHECK(replies.find("550 5.1.1 ") != std::string::npos);
  for (const std::string user : {"alice", "bob"}) {
    const auto mail = server.mail_of(user);
    REQUIRE(mail.size() == 1);
    CHECK(mail.front().starts_with("Return-Path: <ann@example.org>\r\nReceived: from mta.example.org"));
    CHECK(mail.front().ends_with("\r\nSubject: x\r\n\r\n.dot\r\n"));
    CHECK(mail.front().find("Delivered-To:") == std::string::npos);
  }
}

TEST_CASE("LHLO tells what is spoken") {
  LmtpServer server;
  const std::string replies = server.talk(hello + quit);
  for (const char* word : {"250-test.example", "PIPELINING", "8BITMIME", "CHUNKING", "BINARYMIME", "SMTPUTF8",
                           "ENHANCEDSTATUSCODES", "SIZE "}) {
    CHECK_MESSAGE(replies.find(word) != std::string::npos, word);
  }
}

TEST_CASE("Delivered-To stands in a message for one recipient only") {
  LmtpServer server;
  server.talk(hello + to_alice + "Subject: x\r\n\r\n.\r\n" + quit);
  REQUIRE(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("alice").front().find("\r\nDelivered-To: alice\r\n") != std::string::npos);
}

TEST_CASE("a delivery comes out the same wherever its octets are cut") {
  const std::string message = "Subject: cut\r\n\r\na\r\n..b\r\nc\nd\r\n";
  const std::string script = hello + to_alice + message + ".\r\n" + quit;
  LmtpServer server;
  for (std::size_t cut = 1; cut < script.size(); cut += 3) {
    const test::Socket client = server.connect();
    client.send(std::string_view(script).substr(0, cut));
    std::this_thread::sleep_for(200us);
    client.send(std::string_view(script).substr(cut));
    CHECK(codes(client.receive_to_end()) == Codes{"250", "250", "250", "354", "250", "221"});
  }
  const auto mail = server.mail_of("alice");
  CHECK(mail.size() == (script.size() + 1) / 3);
  for (const std::string& each : mail) CHECK(each.ends_with("\r\nSubject: cut\r\n\r\na\r\n.b\r\nc\r\nd\r\n"));
}

TEST_CASE("a peer that leaves at any place inside DATA has delivered nothing") {
  const std::string script = hello + to_alice + "Subject: half\r\n\r\nhalf a message\r\n.\r";
  LmtpServer server;
  for (std::size_t cut = 1; cut <= script.size(); cut += 5) {
    const test::Socket client = server.connect();
    client.send(std::string_view(script).substr(0, cut));
    ::shutdown(client.fd(), SHUT_WR);
    client.receive_to_end();
  }
  CHECK(server.mail_of("alice").empty());
}

TEST_CASE("a message over the limit is refused for each recipient, and the next one is taken") {
  Settings settings = test::test_settings();
  settings.limits.message_size = 2'000;
  LmtpServer server(settings);
  const std::string large = "Subject: large\r\n\r\n" + std::string(500'000, 'x') + "\r\n.\r\n";
  const std::string replies = server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n" +
                                          large + to_alice + "Subject: small\r\n\r\n.\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "552", "552", "250", "250", "354", "250", "221"});
  CHECK(replies.find("552 5.3.4 ") != std::string::npos);
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").empty());
  CHECK(codes(server.talk(hello + "MAIL FROM:<> SIZE=2001\r\n" + quit)) == Codes{"250", "552", "221"});
}

TEST_CASE("a message of exactly the limit is taken") {
  Settings settings = test::test_settings();
  settings.limits.message_size = 100;
  LmtpServer server(settings);
  const std::string exact = "Subject: x\r\n\r\n" + std::string(84, 'x') + "\r\n";
  REQUIRE(exact.size() == 100);
  CHECK(codes(server.talk(hello + to_alice + exact + ".\r\n" + quit)).at(4) == "250");
}

TEST_CASE("somebody who is named twice gets the message once, and both names an answer") {
  LmtpServer server;
  const std::string replies = server.talk(
      hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<alice+x@localhost>\r\nDATA\r\nS: x\r\n\r\n.\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "250", "250", "221"});
  CHECK(server.mail_of("alice").size() == 1);
}

TEST_CASE("commands out of order are refused and change nothing") {
  LmtpServer server;
  const std::string replies = server.talk("MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n" + hello +
                                          "RCPT TO:<alice>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n"
                                          "DATA\r\nRSET\r\nRCPT TO:<alice>\r\nVRFY alice\r\nNOOP\r\n" +
                                          quit);
  CHECK(codes(replies) ==
        Codes{"503", "503", "503", "250", "503", "503", "250", "503", "503", "250", "503", "252", "250", "221"});
}

TEST_CASE("too many errors end the session") {
  Settings settings = test::test_settings();
  settings.limits.bad_commands = 3;
  LmtpServer server(settings);
  const std::string replies = server.talk(hello + "BLURDY\r\nEHLO x\r\n" + std::string(10'000, 'A') + "\r\nNOOP\r\n");
  const Codes got = codes(replies);
  REQUIRE(got.size() == 5);
  CHECK(got.back() == "421");
}

TEST_CASE("a peer that says nothing is told so") {
  Settings settings = test::test_settings();
  settings.limits.lmtp_timeout = 1s;
  LmtpServer server(settings);
  const test::Socket client = server.connect();
  CHECK(client.receive_to_end().starts_with("421 4.4.2 "));
}

TEST_CASE("shutdown says 421 to who waits, and answers the delivery that has all its octets") {
  auto server = std::make_unique<LmtpServer>();
  const test::Socket waiting = server->connect();
  const test::Socket inside_data = server->connect();
  inside_data.send(hello + to_alice + "Subject: never finished\r\n");
  inside_data.receive_until("dot\r\n");
  std::thread ending([&] { CHECK(server->host().shut_down(5s)); });
  CHECK(waiting.receive_to_end().starts_with("421 4.3.2 "));
  CHECK(inside_data.receive_to_end().starts_with("421 4.3.2 "));
  ::shutdown(waiting.fd(), SHUT_WR);
  ::shutdown(inside_data.fd(), SHUT_WR);
  ending.join();
  CHECK(server->mail_of("alice").empty());
}

TEST_CASE("who asks for too many users that are not here is put out") {
  Settings settings = test::test_settings();
  settings.lmtp.unknown_recipients = 2;
  LmtpServer server(settings);
  const std::string nobody = "RCPT TO:<nobody>\r\n";
  CHECK(codes(server.talk(hello + "MAIL FROM:<>\r\n" + nobody + nobody + "RCPT TO:<alice>\r\n" + quit)) ==
        Codes{"250", "250", "550", "550", "250", "221"});
  CHECK(codes(server.talk(hello + "MAIL FROM:<>\r\n" + nobody + nobody + nobody + "NOOP\r\n")) ==
        Codes{"250", "250", "550", "550", "550", "421"});
}

TEST_CASE("VRFY tells those who are trusted with it") {
  Settings settings = test::test_settings();
  settings.lmtp.vrfy_from = {IpNetwork::parse("127.0.0.1").value()};
  LmtpServer server(settings, "all: alice, bob\nloop: loop\n");
  const std::string replies = server.talk(
      "VRFY alice\r\nVRFY <all@test.example>\r\nVRFY nobody@test.example\r\n"
      "VRFY Alice Smith\r\nVRFY loop\r\nVRFY \"a@b\"\r\n" +
      quit);
  CHECK(codes(replies) == Codes{"250", "250", "550", "252", "252", "550", "221"});
  CHECK(replies.starts_with("250 2.1.5 <alice>\r\n250 2.1.5 <all@test.example>\r\n550 5.1.1 "));
}

TEST_CASE("XCLIENT is heard from trusted peers, and the client it names stands in Received") {
  const std::string told = "XCLIENT NAME=spike.example.net ADDR=IPV6:2001:db8::1 HELO=spike\r\n";
  Settings settings = test::test_settings();
  settings.lmtp.xclient_from = {IpNetwork::parse("127.0.0.0/8").value()};
  LmtpServer server(settings);
  const std::string replies = server.talk(hello + told + "MAIL FROM:<>\r\n" + hello + to_alice + "S: x\r\n\r\n.\r\n" +
                                          "XCLIENT FOO=1\r\nMAIL FROM:<>\r\n" + told + quit);
  CHECK(replies.find("XCLIENT NAME ADDR ") != std::string::npos);
  CHECK(codes(replies) == Codes{"250", "220", "503", "250", "250", "250", "354", "250", "501", "250", "503", "221"});
  REQUIRE(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("alice").front().find("Received: from spike (spike.example.net [IPv6:2001:db8::1])\r\n") !=
        std::string::npos);
  LmtpServer other;
  const std::string refused = other.talk(hello + told + quit);
  CHECK(codes(refused) == Codes{"250", "550", "221"});
  CHECK(refused.find("XCLIENT") == std::string::npos);
}

TEST_CASE("AUTH is off, or offered, or needed before mail is taken") {
  const std::string right = "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n";  // alice, secret
  const std::string wrong = "AUTH PLAIN AGFsaWNlAHdyb25n\r\n";
  const std::string script = hello + "MAIL FROM:<> AUTH=<>\r\nRSET\r\n" + wrong + "AUTH PLAIN\r\n*\r\nAUTH NOSUCH\r\n" +
                             right + right + to_alice + "S: x\r\n\r\n.\r\n" + quit;
  {
    LmtpServer server;
    const std::string replies = server.talk(hello + right + "MAIL FROM:<> AUTH=<>\r\n" + quit);
    CHECK(codes(replies) == Codes{"250", "502", "555", "221"});
    CHECK(replies.find("AUTH PLAIN") == std::string::npos);
  }
  for (const LmtpAuth auth : {LmtpAuth::offered, LmtpAuth::required}) {
    Settings settings = test::test_settings();
    settings.lmtp.auth = auth;
    LmtpServer server(settings);
    const std::string replies = server.talk(script);
    CHECK(replies.find("AUTH ") != std::string::npos);
    CHECK(codes(replies) == Codes{"250", auth == LmtpAuth::offered ? "250" : "530", "250", "535", "334", "501", "504",
                                  "235", "503", "250", "250", "354", "250", "221"});
    REQUIRE(server.mail_of("alice").size() == 1);
    CHECK(server.mail_of("alice").front().find(" with LMTPA id ") != std::string::npos);
  }
}

TEST_CASE("who has to log in and does not is told so after a while, whatever else it says") {
  Settings settings = test::test_settings();
  settings.lmtp.auth = LmtpAuth::required;
  settings.limits.time_to_authenticate = std::chrono::seconds(1);
  LmtpServer server(settings);
  const Socket client = server.connect();
  const auto begun = std::chrono::steady_clock::now();
  std::string replies;
  while (replies.find("421") == std::string::npos &&
         std::chrono::steady_clock::now() - begun < std::chrono::seconds(30)) {
    client.send("NOOP\r\n");
    replies += client.receive_until("\r\n");
  }
  CHECK(replies.ends_with("421 4.4.2 Timeout, closing the connection\r\n"));
}

TEST_CASE("STARTTLS is not there unless it is offered") {
  LmtpServer server;
  const std::string replies = server.talk(hello + "STARTTLS\r\n" + quit);
  CHECK(replies.find("STARTTLS") == std::string::npos);
  CHECK(codes(replies) == Codes{"250", "502", "221"});
}

TEST_CASE("too many recipients are told to come again") {
  Settings settings = test::test_settings();
  settings.limits.recipients = 1;
  LmtpServer server(settings);
  const std::string replies =
      server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\nS: x\r\n\r\n.\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "452", "354", "250", "221"});
}
