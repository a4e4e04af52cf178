// SORT and THREAD in a session: orders, answers in each form, saved results, and what other sessions do meanwhile.
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

struct Mail {
  const char* from;
  const char* to;
  const char* subject;
  const char* date;
  const char* ids;  // other fields
  std::size_t size;
};

std::string text_of(const Mail& mail) {
  return std::string("From: ") + mail.from + "\r\nTo: " + mail.to + "\r\nSubject: " + mail.subject +
         "\r\nDate: " + mail.date + "\r\n" + mail.ids + "\r\n" + std::string(mail.size, 'x') + "\r\n";
}

// 1: the start of a thread; 2: its answer, sent earlier than it came; 3: alone; 4: an answer by subject alone.
const Mail mails[] = {
    {"Zoe <ann@x>", "Bob <z@x>", "Plan", "Mon, 2 Mar 2026 10:00:00 +0000", "Message-ID: <1@x>\r\nCc: m@x\r\n", 300},
    {"carl@x", "y@x", "Re: Plan", "Mon, 2 Mar 2026 12:30:00 +0100",
     "Message-ID: <2@x>\r\nReferences: <0@x>\r\n <\"1\"@x>\r\n", 20},
    {"Ann <bert@x>", "x@x", "[list] alone", "Mon, 2 Mar 2026 09:00:00 +0000", "Message-ID: <3@x>\r\n", 100},
    {"=?utf-8?Q?=C3=84nne?= <dora@x>", "", "Fwd: plan (fwd)", "Mon, 2 Mar 2026 11:00:00 +0000", "", 200},
};

ImapClient with_mails(ImapServer& server) {
  ImapClient client = server.select();
  for (const Mail& mail : mails) client.append("INBOX", text_of(mail));
  client.ok("NOOP");
  return client;
}

std::string sorted(ImapClient& client, const std::string& criteria) {
  const Lines lines = client.run("SORT (" + criteria + ") UTF-8 ALL");
  CHECK(lines.back() == "OK Sorted");
  return lines.front();
}

std::string tagged(ImapClient& client, const std::string& command) {
  client.send("x " + command + "\r\n");
  const Lines lines = client.read_to("x ");
  CHECK(lines.back().starts_with("x OK"));
  return lines.size() == 1 ? "" : lines.front();
}

}  // namespace

TEST_CASE("SORT orders by every criterion, on every backend") {
  for (const char* backend : {"memory", "maildir"}) {
    CAPTURE(backend);
    ImapServer server(test_settings(), backend);
    ImapClient client = with_mails(server);
    CHECK(sorted(client, "ARRIVAL") == "* SORT 1 2 3 4");
    CHECK(sorted(client, "REVERSE ARRIVAL SIZE").starts_with("* SORT "));
    CHECK(sorted(client, "CC") == "* SORT 2 3 4 1");
    CHECK(sorted(client, "DATE") == "* SORT 3 1 4 2");
    CHECK(sorted(client, "CC DATE ARRIVAL DATE") == "* SORT 3 4 2 1");
    CHECK(sorted(client, "REVERSE DATE") == "* SORT 2 4 1 3");
    CHECK(sorted(client, "FROM") == "* SORT 1 3 2 4");
    CHECK(sorted(client, "SIZE") == "* SORT 2 3 4 1");
    CHECK(sorted(client, "SUBJECT") == "* SORT 3 1 2 4");
    CHECK(sorted(client, "REVERSE SUBJECT") == "* SORT 1 2 4 3");
    CHECK(sorted(client, "SUBJECT REVERSE DATE") == "* SORT 3 2 4 1");
    CHECK(sorted(client, "TO") == "* SORT 4 3 2 1");
    CHECK(sorted(client, "DISPLAYFROM") == "* SORT 3 4 2 1");  // Ann, A + diaeresis + nne, carl@x, Zoe
    CHECK(sorted(client, "DISPLAYTO") == "* SORT 4 1 3 2");
    CHECK(client.run("SORT (SUBJECT) UTF-8 LARGER 250")[0].starts_with("* SORT "));
    CHECK(client.run("SORT (DATE) US-ASCII SUBJECT plan 1:3")[0] == "* SORT 1 2");
    CHECK(client.run("SORT (DATE) US-ASCII TEXT \"nowhere\"") == Lines{"* SORT", "OK Sorted"});
    CHECK(client.ok("SORT (DATE) KLINGON ALL").starts_with("NO [BADCHARSET"));
  }
}

TEST_CASE("THREAD groups by every algorithm, on every backend") {
  for (const char* backend : {"memory", "maildir"}) {
    CAPTURE(backend);
    ImapServer server(test_settings(), backend);
    ImapClient client = with_mails(server);
    const auto thread = [&](const std::string& arguments) { return client.run("THREAD " + arguments)[0]; };
    CHECK(thread("ORDEREDSUBJECT UTF-8 ALL") == "* THREAD (3)(1 (4)(2))");
    CHECK(thread("REFERENCES UTF-8 ALL") == "* THREAD (3)(1 (4)(2))");
    CHECK(thread("REFS UTF-8 ALL") == "* THREAD (3)(4)(1 2)");
    CHECK(thread("REFERENCES US-ASCII 2:3") == "* THREAD (3)(2)");
    CHECK(client.run("THREAD REFERENCES UTF-8 TEXT nowhere") == Lines{"* THREAD", "OK Threaded"});
    CHECK(client.ok("THREAD REFERENCES KLINGON ALL").starts_with("NO [BADCHARSET"));
  }
}

TEST_CASE("UID SORT and UID THREAD answer with UIDs, the others with the numbers of now") {
  ImapServer server;
  ImapClient client = with_mails(server);
  client.ok("STORE 1 +FLAGS (\\Deleted)");
  client.ok("EXPUNGE");
  CHECK(sorted(client, "DATE") == "* SORT 2 3 1");
  CHECK(client.run("UID SORT (DATE) UTF-8 ALL")[0] == "* SORT 3 4 2");
  CHECK(client.run("UID SORT (DATE) UTF-8 UID 2:3")[0] == "* SORT 3 2");
  CHECK(client.run("UID SORT (DATE) UTF-8 2:3")[0] == "* SORT 3 4");  // numbers are numbers there, too
  CHECK(client.run("THREAD REFS UTF-8 ALL")[0] == "* THREAD (2)(3)(1)");
  CHECK(client.run("UID THREAD REFS UTF-8 ALL")[0] == "* THREAD (3)(4)(2)");
}

TEST_CASE("SORT RETURN answers ESEARCH in the order that was asked for") {
  ImapServer server;
  ImapClient client = with_mails(server);
  CHECK(tagged(client, "SORT RETURN () (DATE) UTF-8 ALL") == "* ESEARCH (TAG \"x\") ALL 3,1,4,2");
  CHECK(tagged(client, "UID SORT RETURN (ALL) (SUBJECT) UTF-8 ALL") == "* ESEARCH (TAG \"x\") UID ALL 3,1:2,4");
  CHECK(tagged(client, "SORT RETURN (MIN MAX COUNT) (DATE) UTF-8 ALL") == "* ESEARCH (TAG \"x\") MIN 3 MAX 2 COUNT 4");
  CHECK(tagged(client, "SORT RETURN (MIN MAX COUNT ALL) (DATE) UTF-8 TEXT nowhere") == "* ESEARCH (TAG \"x\") COUNT 0");
  client.ok("ENABLE IMAP4rev2");
  CHECK(sorted(client, "DATE") == "* SORT 3 1 4 2");
}

TEST_CASE("SORT RETURN (SAVE) saves what it found, and $ can be sorted and threaded") {
  ImapServer server;
  ImapClient client = with_mails(server);
  client.ok("STORE 1 +FLAGS (\\Deleted)");
  client.ok("EXPUNGE");  // numbers and UIDs differ from now on
  CHECK(tagged(client, "SORT RETURN (SAVE) (DATE) UTF-8 ALL").empty());
  CHECK(client.run("UID SEARCH $")[0] == "* SEARCH 2 3 4");
  CHECK(tagged(client, "SORT RETURN (SAVE MIN) (DATE) UTF-8 ALL") == "* ESEARCH (TAG \"x\") MIN 2");
  CHECK(client.run("UID SEARCH $")[0] == "* SEARCH 3");
  CHECK(tagged(client, "UID SORT RETURN (SAVE MIN MAX) (DATE) UTF-8 ALL") == "* ESEARCH (TAG \"x\") UID MIN 3 MAX 2");
  CHECK(client.run("SORT (DATE) UTF-8 $")[0] == "* SORT 2 1");
  CHECK(tagged(client, "SORT RETURN (SAVE COUNT MAX) (DATE) UTF-8 $") == "* ESEARCH (TAG \"x\") MAX 1 COUNT 2");
  CHECK(client.run("UID THREAD REFS UTF-8 $")[0] == "* THREAD (3)(2)");
}

TEST_CASE("EXPUNGE is held back during SORT and THREAD by number, and messages that are gone are left out") {
  ImapServer server;
  ImapClient one = with_mails(server);
  ImapClient two = server.select();
  two.ok("STORE 3 +FLAGS (\\Deleted)");
  two.ok("EXPUNGE");
  const Lines lines = one.run("SORT (DATE) UTF-8 ALL");
  CHECK_FALSE(contains(lines, "EXPUNGE"));
  CHECK(contains(lines, "* SORT 1 4 2"));
  CHECK_FALSE(contains(one.run("THREAD REFS UTF-8 ALL"), "EXPUNGE"));
  CHECK(contains(one.run("THREAD REFS UTF-8 ALL"), "* THREAD (4)(1 2)"));
  CHECK(contains(one.run("UID SORT (DATE) UTF-8 ALL"), "* 3 EXPUNGE"));
  CHECK(one.run("SORT (DATE) UTF-8 ALL")[0] == "* SORT 1 3 2");
}

TEST_CASE("a header too large for the index is read from the message") {
  for (const char* backend : {"memory", "maildir"}) {
    CAPTURE(backend);
    ImapServer server(test_settings(), backend);
    ImapClient client = server.select();
    std::string recipients;
    for (int i = 0; i < 3000; ++i) recipients += ",\r\n r" + std::to_string(i) + "@example.org";
    client.append("INBOX", "Subject: b\r\nMessage-ID: <1@x>\r\nTo: z@x" + recipients + "\r\n\r\n");
    client.append("INBOX", "Subject: a\r\nReferences: <1@x>\r\nTo: a@x\r\n\r\n");
    CHECK(sorted(client, "SUBJECT") == "* SORT 2 1");
    CHECK(sorted(client, "TO") == "* SORT 2 1");
    CHECK(client.run("THREAD REFS UTF-8 ALL")[0] == "* THREAD (1 2)");
  }
}

TEST_CASE("more messages than one batch are in one order, and arrive whole") {
  ImapServer server;
  ImapClient client = server.select();
  const int count = 1203;
  std::string expected = "* SORT";
  for (int i = 0; i < count; ++i) {
    client.append("INBOX", "Subject: s" + std::to_string(999999 - i) + "\r\nMessage-ID: <" + std::to_string(i) +
                               "@x>\r\nIn-Reply-To: <" + std::to_string(i - 1) + "@x>\r\n\r\n");
    expected += " " + std::to_string(count - i);
  }
  CHECK((sorted(client, "SUBJECT") == expected));
  std::string chain = "* THREAD (1";
  for (int i = 2; i <= count; ++i) chain += " " + std::to_string(i);
  CHECK((client.run("UID THREAD REFERENCES UTF-8 ALL")[0] == chain + ")"));
}

TEST_CASE("all that SORT and THREAD can do is advertised") {
  ImapServer server;
  ImapClient client = server.login();
  const std::string list = client.run("CAPABILITY")[0] + " ";
  for (const char* token :
       {"SORT", "SORT=DISPLAY", "ESORT", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS", "I18NLEVEL=1"}) {
    CAPTURE(token);
    CHECK(list.find(" " + std::string(token) + " ") != std::string::npos);
  }
}
