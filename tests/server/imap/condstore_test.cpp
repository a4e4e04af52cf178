// CONDSTORE and QRESYNC as sessions see them. RFC 7162.
#include <string>

#include "tests/server/imap/client_mirror.h"
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

std::uint64_t highest(const Lines& lines) {
  std::uint64_t modseq = 0;
  for (const std::string& line : lines) modseq = number_behind(line, "[HIGHESTMODSEQ ").value_or(modseq);
  return modseq;
}

std::uint64_t validity(const Lines& lines) {
  for (const std::string& line : lines) {
    if (const auto found = number_behind(line, "[UIDVALIDITY ")) return *found;
  }
  return 0;
}

// A client that has selected INBOX, with three messages in it.
ImapClient with_three(ImapServer& server, const std::string& enable = "") {
  ImapClient client = server.login();
  if (!enable.empty()) REQUIRE(client.ok("ENABLE " + enable).starts_with("OK"));
  for (int i = 0; i < 3; ++i) client.append("INBOX", small_message);
  REQUIRE(client.ok("SELECT INBOX").starts_with("OK"));
  return client;
}

bool starts(const std::string& line, const std::string& start) { return line.starts_with(start); }

}  // namespace

TEST_CASE("each command that enables CONDSTORE says HIGHESTMODSEQ once and makes MODSEQ come by itself") {
  for (const char* command : {"ENABLE CONDSTORE", "STATUS INBOX (HIGHESTMODSEQ)", "FETCH 1 (MODSEQ)", "SEARCH MODSEQ 1",
                              "FETCH 1 FLAGS (CHANGEDSINCE 1)", "STORE 1 (UNCHANGEDSINCE 99999999) +FLAGS (\\Seen)",
                              "ENABLE QRESYNC", "LIST \"\" INBOX RETURN (STATUS (HIGHESTMODSEQ))"}) {
    CAPTURE(command);
    ImapServer server;
    ImapClient client = with_three(server);
    const Lines plain = client.run("STORE 2 +FLAGS (\\Flagged)");
    CHECK_FALSE(contains(plain, "MODSEQ"));
    const Lines first = client.run(command);
    CHECK(contains(first, "* OK [HIGHESTMODSEQ "));
    const Lines second = client.run(command);
    CHECK_FALSE(contains(second, "* OK [HIGHESTMODSEQ "));
    const Lines after = client.run("STORE 2 -FLAGS (\\Flagged)");
    CHECK(contains(after, "MODSEQ ("));
  }
}

TEST_CASE("SELECT with CONDSTORE makes MODSEQ come by itself") {
  ImapServer server;
  ImapClient client = with_three(server);
  CHECK(highest(client.run("SELECT INBOX (CONDSTORE)")) > 0);
  const Lines lines = client.run("STORE 1 +FLAGS.SILENT (\\Flagged)");
  CHECK(starts(lines[0], "* 1 FETCH (UID 1 MODSEQ ("));
  CHECK(lines.size() == 2);
}

TEST_CASE("STORE UNCHANGEDSINCE changes what nobody else has changed, and names the rest") {
  ImapServer server;
  ImapClient client = with_three(server, "CONDSTORE");
  ImapClient other = server.select();
  const std::string known = std::to_string(highest(client.run("SELECT INBOX")));
  other.ok("STORE 2 +FLAGS (\\Answered)");
  const Lines lines = client.run("STORE 1:3 (UNCHANGEDSINCE " + known + ") +FLAGS.SILENT (\\Deleted)");
  CHECK(lines.back() == "OK [MODIFIED 2] Some messages have changed since and were left alone");
  CHECK(contains(lines, "* 1 FETCH (UID 1 MODSEQ ("));
  CHECK(contains(lines, "* 2 FETCH (UID 2 FLAGS (\\Answered"));
  CHECK(contains(lines, "* 3 FETCH (UID 3 MODSEQ ("));
  CHECK(client.ok("UID STORE 2 (UNCHANGEDSINCE 0) +FLAGS (\\Deleted)").starts_with("OK [MODIFIED 2]"));
  CHECK(contains(client.run("SEARCH DELETED"), "* SEARCH 1 3"));
}

TEST_CASE("a conditional STORE that changes nothing still tells the modseq") {
  ImapServer server;
  ImapClient client = with_three(server, "CONDSTORE");
  client.ok("STORE 1 +FLAGS (\\Seen)");
  const Lines before = client.run("FETCH 1 (MODSEQ)");
  const Lines lines = client.run("STORE 1 (UNCHANGEDSINCE 99999999) +FLAGS.SILENT (\\Seen)");
  CHECK(number_behind(lines[0], "MODSEQ (") == number_behind(before[0], "MODSEQ ("));
}

TEST_CASE("SEARCH MODSEQ adds the highest modseq of what it found") {
  ImapServer server;
  ImapClient client = with_three(server, "CONDSTORE");
  const Lines stored = client.run("STORE 2 +FLAGS (\\Seen)");
  const std::string modseq = std::to_string(number_behind(stored[0], "MODSEQ (").value_or(0));
  CHECK(contains(client.run("SEARCH MODSEQ " + modseq), "* SEARCH 2 (MODSEQ " + modseq + ")"));
  CHECK(contains(client.run("SEARCH MODSEQ \"/flags/\\\\seen\" all " + modseq), "* SEARCH 2 (MODSEQ " + modseq + ")"));
  CHECK(contains(client.run("SEARCH OR NOT MODSEQ 1 LARGER 500000000"), "* SEARCH"));
  CHECK_FALSE(contains(client.run("SEARCH MODSEQ 999999999"), "MODSEQ"));
  CHECK(contains(client.run("SEARCH RETURN (ALL) MODSEQ 1"), " ALL 1:3 MODSEQ " + modseq));
  CHECK_FALSE(contains(client.run("SEARCH RETURN (MIN) MODSEQ 1"), "MODSEQ " + modseq));
  CHECK(contains(client.run("SEARCH RETURN (MIN COUNT) MODSEQ 1"), "COUNT 3 MODSEQ " + modseq));
}

TEST_CASE("QRESYNC needs ENABLE, and VANISHED takes the place of EXPUNGE") {
  ImapServer server;
  ImapClient client = with_three(server);
  CHECK(client.ok("SELECT INBOX (QRESYNC (1 1))").starts_with("BAD"));
  CHECK(contains(client.run("ENABLE QRESYNC"), "* ENABLED QRESYNC"));
  client.ok("SELECT INBOX");
  client.ok("STORE 1,3 +FLAGS (\\Deleted)");
  const Lines lines = client.run("EXPUNGE");
  CHECK(lines[0] == "* VANISHED 1,3");
  CHECK(lines.back().starts_with("OK [HIGHESTMODSEQ "));
  CHECK(client.ok("EXPUNGE") == "OK Expunged");
  client.ok("STORE 1 +FLAGS (\\Deleted)");
  const std::string closed = client.ok("CLOSE");
  CHECK(closed.find("HIGHESTMODSEQ") == std::string::npos);
}

TEST_CASE("SELECT with QRESYNC tells what vanished and what changed, and nothing else") {
  ImapServer server;
  ImapClient other = server.select();
  ImapClient client = with_three(server, "QRESYNC");
  for (int i = 0; i < 3; ++i) client.append("INBOX", small_message);  // 1 to 6
  const Lines selected = client.run("SELECT INBOX");
  const std::string known = std::to_string(validity(selected)) + " " + std::to_string(highest(selected));
  client.ok("UNSELECT");
  other.ok("NOOP");
  other.ok("STORE 2,4 +FLAGS (\\Deleted)");
  other.ok("EXPUNGE");
  other.ok("UID STORE 5 +FLAGS (\\Flagged)");
  Lines lines = client.run("SELECT INBOX (QRESYNC (" + known + "))");
  CHECK(contains(lines, "* VANISHED (EARLIER) 2,4"));
  CHECK(contains(lines, "* 3 FETCH (UID 5 FLAGS (\\Flagged"));
  CHECK_FALSE(contains(lines, "* 1 FETCH"));
  lines = client.run("SELECT INBOX (QRESYNC (" + known + " 1:3,6))");
  CHECK(contains(lines, "* VANISHED (EARLIER) 2"));
  CHECK_FALSE(contains(lines, "FETCH"));
  // Number 1 is still UID 1; number 3 was UID 3 and is not any more.
  lines = client.run("SELECT INBOX (QRESYNC (" + known + " (1,3 1,3)))");
  CHECK(contains(lines, "* VANISHED (EARLIER) 2,4"));
  // The client shows that it knows of all up to 5.
  lines = client.run("SELECT INBOX (QRESYNC (" + known + " (1:3 1,3,5)))");
  CHECK_FALSE(contains(lines, "VANISHED"));
  // Another UIDVALIDITY: nothing can be said.
  lines = client.run("SELECT INBOX (QRESYNC (1 1))");
  CHECK_FALSE(contains(lines, "VANISHED"));
  CHECK(lines.back().starts_with("OK [READ-WRITE]"));
}

TEST_CASE("UID FETCH with VANISHED tells what went since then, within the set") {
  ImapServer server;
  ImapClient client = with_three(server, "QRESYNC");
  const std::string since = std::to_string(highest(client.run("SELECT INBOX")));
  client.ok("STORE 1,3 +FLAGS (\\Deleted)");
  client.ok("EXPUNGE");
  CHECK(client.run("UID FETCH 1:2 (FLAGS) (CHANGEDSINCE " + since + " VANISHED)") ==
        Lines{"* VANISHED (EARLIER) 1", "OK Fetched"});
  // "*" is the last message that ever was.
  CHECK(client.run("UID FETCH 1:* (FLAGS) (CHANGEDSINCE " + since + " VANISHED)")[0] == "* VANISHED (EARLIER) 1,3");
  CHECK(client.ok("UID FETCH 1:* (FLAGS) (VANISHED)").starts_with("BAD"));
}

TEST_CASE("while expunges are held back the client is told a modseq that is safe to keep") {
  ImapServer server;
  ImapClient client = with_three(server, "QRESYNC");
  ImapClient other = server.select();
  const std::uint64_t before = highest(client.run("SELECT INBOX"));
  other.ok("STORE 1 +FLAGS (\\Deleted)");
  client.ok("NOOP");
  other.ok("EXPUNGE");
  other.ok("STORE 1 +FLAGS (\\Flagged)");
  const Lines held = client.run("FETCH 3 (UID FLAGS MODSEQ)");
  CHECK(contains(held, "* 2 FETCH (UID 2 FLAGS (\\Flagged"));
  const std::uint64_t safe = highest(held);
  CHECK(safe > before);
  CHECK(safe < number_behind(held[1], "MODSEQ (").value_or(0));
  const Lines told = client.run("NOOP");
  CHECK(told[0] == "* VANISHED 1");
  CHECK(highest(told) > safe);
}

TEST_CASE("UID SEARCH with message numbers holds VANISHED back") {
  ImapServer server;
  ImapClient client = with_three(server, "QRESYNC");
  ImapClient other = server.select();
  other.ok("STORE 1 +FLAGS (\\Deleted)");
  other.ok("EXPUNGE");
  CHECK_FALSE(contains(client.run("UID SEARCH OR 1:3 SEEN"), "VANISHED"));
  CHECK(contains(client.run("UID SEARCH ALL"), "* VANISHED 1"));
}

TEST_CASE("SORT and THREAD know MODSEQ as SEARCH does") {
  ImapServer server;
  ImapClient client = with_three(server);
  const Lines stored = client.run("STORE 2 +FLAGS (\\Seen)");
  const Lines first = client.run("SORT (ARRIVAL) UTF-8 MODSEQ 1");
  CHECK(contains(first, "* OK [HIGHESTMODSEQ "));
  const Lines told = client.run("FETCH 2 (MODSEQ)");
  const std::string modseq = std::to_string(number_behind(told[0], "MODSEQ (").value_or(0));
  CHECK(contains(first, "* SORT 1 2 3 (MODSEQ " + modseq + ")"));
  CHECK(contains(client.run("SORT RETURN (ALL) (ARRIVAL) UTF-8 MODSEQ 1"), " MODSEQ " + modseq));
  CHECK(contains(client.run("THREAD REFERENCES UTF-8 MODSEQ " + modseq), "* THREAD (2)"));
  CHECK(client.ok("SORT RETURN (PARTIAL 1:2) (ARRIVAL) UTF-8 ALL").starts_with("BAD"));
}
