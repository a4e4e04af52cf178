// Which mailboxes a message goes to: details, and what was delivered before.
#include "server/lmtp/delivery.h"

#include <doctest/doctest.h>

#include "tests/server/lmtp/lmtp_server.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace postkeep::test;

namespace {

// One delivery to each address, in one transaction.
std::string delivery_to(const std::vector<std::string>& addresses, const std::string& header = "Subject: x\r\n") {
  std::string script = "MAIL FROM:<>\r\n";
  for (const std::string& each : addresses) script += "RCPT TO:<" + each + ">\r\n";
  return script + "DATA\r\n" + header + "\r\nx\r\n.\r\n";
}

Settings with_folders(DetailFolder folder) {
  Settings settings = test_settings();
  settings.recipients.detail_folder = folder;
  return settings;
}

}  // namespace

TEST_CASE("a detail names no mailbox unless that is set") {
  LmtpServer server;
  server.make_mailbox("alice", "Lists");
  server.talk(hello + delivery_to({"alice+Lists"}) + quit);
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("alice", "Lists").empty());
}

TEST_CASE("a detail names a mailbox that is there, and INBOX has the rest") {
  LmtpServer server(with_folders(DetailFolder::existing));
  server.make_mailbox("alice", "Lists/x");
  server.talk(hello + delivery_to({"alice+Lists/x", "alice+other", "alice", "bob+inbox", "alice+lists/x"}) +
              delivery_to({"alice+Lists/x"}) + quit);
  CHECK(server.mail_of("alice", "Lists/x").size() == 2);
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").size() == 1);
  CHECK_FALSE(server.has_mailbox("alice", "other"));
}

TEST_CASE("a detail makes its mailbox where that is set, within limits, and names that cannot be go to INBOX") {
  LmtpServer server(with_folders(DetailFolder::make));
  const std::string replies = server.talk(
      hello + delivery_to({"alice+Lists/new", "alice+1/2/3/4/5/6", "alice+a//b", "alice+/", "bob+Sent"}) + quit);
  CHECK(codes(replies) ==
        Codes{"250", "250", "250", "250", "250", "250", "250", "354", "250", "250", "250", "250", "250", "221"});
  CHECK(server.mail_of("alice", "Lists/new").size() == 1);
  CHECK(server.mail_of("alice").size() == 1);
  CHECK_FALSE(server.has_mailbox("alice", "1"));
  CHECK(server.mail_of("bob", "Sent").size() == 1);
}

TEST_CASE("the detail in lower case") {
  Settings settings = with_folders(DetailFolder::make);
  settings.recipients.lower_case_detail = true;
  settings.recipients.delimiter = "-";
  LmtpServer server(settings);
  server.talk(hello + delivery_to({"alice-LISTS"}) + quit);
  CHECK(codes(server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<alice+x>\r\n" + quit)).at(2) == "550");
  CHECK(server.has_mailbox("alice", "lists"));
}

TEST_CASE("a quota holds for all mailboxes that one message goes to") {
  LmtpServer server(with_folders(DetailFolder::make));
  server.limit_messages("alice", 1);
  const std::string replies = server.talk(hello + delivery_to({"alice+a", "alice+b"}) + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "452", "452", "221"});
  CHECK(server.mail_of("alice", "a").empty());
}

TEST_CASE("a message comes once within the window for duplicates, for each mailbox") {
  Settings settings = with_folders(DetailFolder::make);
  settings.lmtp.duplicate_window = std::chrono::hours(1);
  LmtpServer server(settings);
  const std::string one = "Message-ID: <1@example.org>\r\n";
  const std::string folded = "message-id:\r\n <1@example.org> (again)\r\nSubject: y\r\n";
  server.talk(hello + delivery_to({"alice"}, one) + delivery_to({"alice", "bob"}, folded) +
              delivery_to({"alice+x"}, one) + quit);
  const std::string replies = server.talk(hello + delivery_to({"alice+x"}, one) + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "354", "250", "221"});
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").size() == 1);
  CHECK(server.mail_of("alice", "x").size() == 1);
  // Without one Message-ID nothing is a duplicate.
  for (const std::string& header : {std::string("Subject: x\r\n"), one + one, std::string("Message-ID: none\r\n")}) {
    const std::size_t before = server.mail_of("bob").size();
    server.talk(hello + delivery_to({"bob"}, header) + delivery_to({"bob"}, header) + quit);
    CHECK(server.mail_of("bob").size() == before + 2);
  }
}

TEST_CASE("what could not be delivered is no duplicate, and without a window nothing is") {
  Settings settings = test_settings();
  const std::string one = "Message-ID: <1@example.org>\r\n";
  LmtpServer plain(settings);
  plain.talk(hello + delivery_to({"alice"}, one) + delivery_to({"alice"}, one) + quit);
  CHECK(plain.mail_of("alice").size() == 2);
  settings.lmtp.duplicate_window = std::chrono::hours(1);
  LmtpServer server(settings);
  server.limit_octets("alice", 10);
  CHECK(codes(server.talk(hello + delivery_to({"alice"}, one) + quit)).at(4) == "452");
  server.limit_octets("alice", 100'000);
  CHECK(codes(server.talk(hello + delivery_to({"alice"}, one) + quit)).at(4) == "250");
  CHECK(server.mail_of("alice").size() == 1);
}
