// RCPT: aliases, quota told beforehand, DSN parameters.
#include <doctest/doctest.h>

#include "tests/server/lmtp/lmtp_server.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace postkeep::test;

namespace {

const std::string body_of_x = "Subject: x\r\n\r\nx\r\n.\r\n";
const std::string to_both =
    "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice@test.example>\r\nRCPT TO:<bob@test.example>\r\n";

}  // namespace

TEST_CASE("who has no room left is told at RCPT, put off or sent back, and the others get their mail") {
  for (const OverQuota over_quota : {OverQuota::defer, OverQuota::reject}) {
    Settings settings = test_settings();
    settings.quota.on_delivery = over_quota;
    LmtpServer server(settings);
    server.limit_messages("alice", 1);
    const std::string replies =
        server.talk(hello + to_both + "DATA\r\n" + body_of_x + to_both + "DATA\r\n" + body_of_x + quit);
    CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "250", "250", "250",
                                  over_quota == OverQuota::defer ? "452" : "552", "250", "354", "250", "221"});
    const char* full = over_quota == OverQuota::defer ? "452 4.2.2 " : "552 5.2.2 ";
    CHECK(replies.find(full) != std::string::npos);
    CHECK(server.mail_of("alice").size() == 1);
    CHECK(server.mail_of("bob").size() == 2);
  }
}

TEST_CASE("the size that MAIL tells counts at RCPT") {
  LmtpServer server;
  server.limit_octets("alice", 5'000);
  const auto rcpt = [&](const std::string& size) {
    return codes(server.talk(hello + "MAIL FROM:<>" + size + "\r\nRCPT TO:<alice>\r\n" + quit)).at(2);
  };
  CHECK(rcpt("") == "250");
  CHECK(rcpt(" SIZE=0") == "250");
  CHECK(rcpt(" SIZE=5000") == "250");
  CHECK(rcpt(" SIZE=5001") == "452");
}

TEST_CASE("two transactions that were both told of room do not both take the last of it") {
  LmtpServer server;
  server.limit_messages("alice", 1);
  const Socket first = server.connect();
  const Socket second = server.connect();
  for (const Socket* each : {&first, &second}) {
    each->send(hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n");
    each->receive_until("dot\r\n");
  }
  first.send(body_of_x + quit);
  second.send(body_of_x + quit);
  std::vector<Codes> answers = {codes(first.receive_to_end()), codes(second.receive_to_end())};
  std::sort(answers.begin(), answers.end());
  CHECK(answers == std::vector<Codes>{{"250", "250", "221"}, {"452", "250", "221"}});
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").size() == 2);
}

TEST_CASE("an alias is one recipient with one reply, whoever it means") {
  LmtpServer server(test_settings(), "all: alice, bob\ninfo@other.example: bob\n@caught.example: alice\nloop: loop\n");
  const std::string replies = server.talk(
      hello +
      "MAIL FROM:<>\r\nRCPT TO:<all@test.example>\r\nRCPT TO:<INFO@other.example>\r\nRCPT TO:<x@other.example>\r\n"
      "RCPT TO:<who.ever@caught.example>\r\nRCPT TO:<loop>\r\nDATA\r\n" +
      body_of_x + "VRFY all\r\n" + quit);
  CHECK(codes(replies) ==
        Codes{"250", "250", "250", "250", "550", "250", "451", "354", "250", "250", "250", "252", "221"});
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").size() == 1);
  server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<all>\r\nDATA\r\n" + body_of_x + quit);
  REQUIRE(server.mail_of("alice").size() == 2);
  CHECK(server.mail_of("alice").back().find("Delivered-To:") == std::string::npos);
}

TEST_CASE("of an alias those who have room get the mail once, however often it is tried for the others") {
  LmtpServer server(test_settings(), "all: alice, bob\n");
  server.limit_messages("alice", 1);
  server.talk(hello + to_alice + body_of_x + quit);
  const std::string attempt =
      hello + "MAIL FROM:<>\r\nRCPT TO:<all>\r\nDATA\r\nMessage-ID: <1@x>\r\n\r\nx\r\n.\r\n" + quit;
  CHECK(codes(server.talk(attempt)) == Codes{"250", "250", "250", "354", "452", "221"});
  CHECK(codes(server.talk(attempt)) == Codes{"250", "250", "250", "354", "452", "221"});
  CHECK(server.mail_of("bob").size() == 1);
  const std::string another =
      hello + "MAIL FROM:<>\r\nRCPT TO:<all>\r\nDATA\r\nMessage-ID: <1@x>\r\n\r\nother\r\n.\r\n" + quit;
  CHECK(codes(server.talk(another)) == Codes{"250", "250", "250", "354", "452", "221"});
  CHECK(server.mail_of("bob").size() == 2);
  server.limit_messages("alice", 10);
  CHECK(codes(server.talk(attempt)) == Codes{"250", "250", "250", "354", "250", "221"});
  CHECK(server.mail_of("alice").size() == 2);
  CHECK(server.mail_of("bob").size() == 2);
  server.limit_messages("alice", 2);
  server.limit_messages("bob", 2);
  CHECK(codes(server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<all>\r\n" + quit)) == Codes{"250", "250", "452", "221"});
}

TEST_CASE("DSN parameters change nothing but what is malformed") {
  LmtpServer server;
  const std::string replies = server.talk(
      hello + "MAIL FROM:<> RET=HDRS ENVID=a+2Bb\r\nRCPT TO:<alice> NOTIFY=SUCCESS ORCPT=rfc822;al+40ice\r\n" +
      "RCPT TO:<bob> NOTIFY=NEVER,DELAY\r\nRCPT TO:<nobody> NOTIFY=NEVER\r\nDATA\r\n" + body_of_x +
      "MAIL FROM:<> RET=ALL\r\n" + quit);
  CHECK(replies.find("DSN") == std::string::npos);
  CHECK(codes(replies) == Codes{"250", "250", "250", "501", "550", "354", "250", "501", "221"});
}
