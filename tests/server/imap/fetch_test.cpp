// FETCH: every kind of section, partial ranges, what sets \Seen, and bodies larger than any buffer.
#include <filesystem>
#include <fstream>
#include <map>

#include "protocol/imap/responses/body_reduce.h"
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;
using namespace std::string_literals;

namespace {

const std::string part_one = "Content-Type: text/plain\r\n\r\none\r\n";
const std::string inner =
    "Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\ndeep\r\n--i--\r\n";
const std::string mixed =
    "From: a@example.org\r\nSubject: outer\r\nTo: b@example.org\r\nTo: c@example.org\r\n"
    "Content-Type: multipart/mixed; boundary=o\r\n\r\n"
    "--o\r\n" +
    part_one + "\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner +
    "\r\n--o\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQ=\r\n"
    "--o\r\nContent-Transfer-Encoding: x-odd\r\n\r\nodd\r\n--o--\r\n";

std::string literal(const std::string& bytes) { return "{" + std::to_string(bytes.size()) + "}\r\n" + bytes; }

// Large enough for some of them to fill what is read at once; the 100th is too large for that.
std::string numbered(int i) {
  const std::size_t filling = i == 100 ? 300'000 : 1'000;
  return "Subject: " + std::to_string(i) + "\r\n\r\n" + std::string(filling, static_cast<char>('a' + i % 26)) + "\r\n";
}

// The stored messages by their number.
std::map<int, std::filesystem::path> stored_messages(const std::string& data_dir) {
  std::map<int, std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_dir)) {
    if (entry.path().parent_path().filename() != "cur") continue;
    std::ifstream file(entry.path());
    std::string word;
    int number = 0;
    if (file >> word >> number && word == "Subject:") found[number] = entry.path();
  }
  return found;
}

}  // namespace

TEST_CASE("every kind of section names its octets") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", mixed);
  const std::size_t header_end = mixed.find("\r\n\r\n") + 4;
  const std::vector<std::pair<std::string, std::string>> sections = {
      {"BODY.PEEK[]", "BODY[] " + literal(mixed)},
      {"BODY.PEEK[HEADER]", "BODY[HEADER] " + literal(mixed.substr(0, header_end))},
      {"BODY.PEEK[TEXT]", "BODY[TEXT] " + literal(mixed.substr(header_end))},
      {"BODY.PEEK[HEADER.FIELDS (to SUBJECT)]",
       "BODY[HEADER.FIELDS (to SUBJECT)] " +
           literal("Subject: outer\r\nTo: b@example.org\r\nTo: c@example.org\r\n\r\n")},
      {"BODY.PEEK[HEADER.FIELDS (X-None)]", "BODY[HEADER.FIELDS (X-None)] " + literal("\r\n")},
      {"BODY.PEEK[HEADER.FIELDS (Subject)]<3.6>", "BODY[HEADER.FIELDS (Subject)]<3> " + literal("ject: ")},
      {"BODY.PEEK[HEADER.FIELDS (Subject)]<14.9>", "BODY[HEADER.FIELDS (Subject)]<14> " + literal("\r\n\r\n")},
      {"BODY.PEEK[HEADER.FIELDS (Subject)]<99.9>", "BODY[HEADER.FIELDS (Subject)]<99> " + literal("")},
      {"BODY.PEEK[HEADER.FIELDS.NOT (From To Content-Type)]",
       "BODY[HEADER.FIELDS.NOT (From To Content-Type)] " + literal("Subject: outer\r\n\r\n")},
      {"BODY.PEEK[1]", "BODY[1] " + literal("one\r\n")},
      {"BODY.PEEK[1.MIME]", "BODY[1.MIME] " + literal("Content-Type: text/plain\r\n\r\n")},
      {"BODY.PEEK[2]", "BODY[2] " + literal(inner)},
      {"BODY.PEEK[2.HEADER]", "BODY[2.HEADER] " + literal(inner.substr(0, inner.find("\r\n\r\n") + 4))},
      {"BODY.PEEK[2.TEXT]", "BODY[2.TEXT] " + literal(inner.substr(inner.find("\r\n\r\n") + 4))},
      {"BODY.PEEK[2.HEADER.FIELDS (Subject)]", "BODY[2.HEADER.FIELDS (Subject)] " + literal("Subject: inner\r\n\r\n")},
      {"BODY.PEEK[2.1]", "BODY[2.1] " + literal("deep")},
      {"BODY.PEEK[9]", "BODY[9] NIL"},
      {"BODY.PEEK[]<5.3>", "BODY[]<5> " + literal(mixed.substr(5, 3))},
      {"BODY.PEEK[1]<4.100>", "BODY[1]<4> " + literal("\n")},
      {"BODY.PEEK[1]<99.1>", "BODY[1]<99> " + literal("")},
      {"BINARY.PEEK[3]", "BINARY[3] ~{5}\r\n\0\1\2\3\4"s},
      {"BINARY.PEEK[3]<1.2>", "BINARY[3]<1> " + literal("\1\2")},
      {"BINARY.SIZE[3]", "BINARY.SIZE[3] 5"},
      {"BINARY.SIZE[1]", "BINARY.SIZE[1] 5"},
      {"RFC822.HEADER", "RFC822.HEADER " + literal(mixed.substr(0, header_end))},
  };
  for (const auto& [item, answered] : sections) {
    const std::string asked = item;  // clang 14 cannot capture a binding
    CAPTURE(asked);
    const Lines lines = client.run("FETCH 1 (" + asked + ")");
    CHECK(lines.front() == "* 1 FETCH (" + answered + ")");
    CHECK(lines.back() == "OK Fetched");
  }
  CHECK(client.ok("FETCH 1 BINARY.PEEK[4]").starts_with("NO [UNKNOWN-CTE]"));
  CHECK_FALSE(contains(client.run("FETCH 1 FLAGS"), "\\Seen"));  // none of them set it
}

TEST_CASE("fetching a body sets \\Seen once for all, unless it is a PEEK or the mailbox is read-only") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  client.append("INBOX", small_message);
  const Lines lines = client.run("FETCH 1:2 (UID BODY[TEXT])");
  CHECK(lines.size() == 5);
  CHECK(lines[0] == "* 1 FETCH (UID 1 BODY[TEXT] {11}\r\nGood day.\r\n)");
  CHECK(lines[2] == "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))");
  CHECK(client.run("FETCH 1 RFC822").size() == 2);  // seen already
  client.append("INBOX", small_message);
  client.run("EXAMINE INBOX");
  CHECK(client.run("FETCH 3 BODY[]").size() == 2);
  CHECK_FALSE(contains(client.run("FETCH 3 FLAGS"), "\\Seen"));
}

TEST_CASE("the macros and the structure items are answered from the index") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  const std::string envelope =
      "ENVELOPE (\"Mon, 2 Mar 2026 10:00:00 +0100\" \"Hello\" ((\"Ann\" NIL \"ann\" \"example.org\")) "
      "((\"Ann\" NIL \"ann\" \"example.org\")) ((\"Ann\" NIL \"ann\" \"example.org\")) "
      "((NIL NIL \"bob\" \"example.org\")) NIL NIL NIL \"<1@example.org>\")";
  CHECK(client.run("FETCH 1 ENVELOPE")[0] == "* 1 FETCH (" + envelope + ")");
  const std::string full = client.run("FETCH 1 FULL")[0];
  CHECK(full.find("FLAGS (\\Recent) INTERNALDATE \"") != std::string::npos);
  CHECK(full.ends_with(" NIL NIL \"7bit\" 11 1))"));  // without extension data
  CHECK(client.run("FETCH 1 (EMAILID THREADID SAVEDATE)")[0].starts_with("* 1 FETCH (EMAILID (M"));
}

TEST_CASE("a body larger than all buffers arrives whole, also to a slow reader, and in parts") {
  ImapServer server;
  ImapClient client = server.select();
  std::string big = "Subject: big\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  for (int i = 0; i < 40'000; ++i) big += "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=QUJDREVG\r\n"s;
  client.append("INBOX", big);
  client.send("f FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT]<1000.700000> BINARY.SIZE[1] BINARY.PEEK[1])\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const Lines lines = client.read_to("f ");
  const std::string start = "* 1 FETCH (BODY[] {" + std::to_string(big.size()) + "}\r\n" + big;
  CHECK((lines[0].compare(0, start.size(), start) == 0));
  const std::string text = big.substr(big.find("\r\n\r\n") + 4);
  CHECK((lines[0].find("BODY[TEXT]<1000> {700000}\r\n" + text.substr(1000, 700'000)) != std::string::npos));
  std::string decoded;
  for (int i = 0; i < 40'000; ++i) decoded += "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF";
  const std::string size = std::to_string(decoded.size());
  CHECK(
      (lines[0].find("BINARY.SIZE[1] " + size + " BINARY[1] {" + size + "}\r\n" + decoded + ")") != std::string::npos));
  CHECK(lines.back() == "f OK Fetched");
}

TEST_CASE("a FETCH of many messages has each of them, also those whose files were renamed meanwhile") {
  ImapServer server(test_settings(), "maildir");
  ImapClient client = server.select();
  for (int i = 1; i <= 420; ++i) client.append("INBOX", numbered(i));
  const std::map<int, std::filesystem::path> files = stored_messages(server.data_dir());
  REQUIRE(files.size() == 420);
  // As another program does it that sets \Flagged, and one that removes a message.
  for (const int i : {1, 199, 200, 201, 420}) std::filesystem::rename(files.at(i), files.at(i).string() + "F");
  std::filesystem::remove(files.at(300));
  const auto answer = [](int i, const std::string& items) {
    return "* " + std::to_string(i) + " FETCH (" + items + "BODY[] " + literal(numbered(i)) + ")";
  };
  for (const bool sized : {false, true}) {
    const Lines lines = client.run(sized ? "FETCH 1:* (RFC822.SIZE BODY.PEEK[])" : "FETCH 1:* BODY.PEEK[]");
    CHECK(lines.back() == "OK [EXPUNGEISSUED] Fetched, but some messages are gone");
    std::size_t at = 0;
    for (int i = 1; i <= 420; ++i) {
      if (i == 300) continue;
      const std::string size = sized ? "RFC822.SIZE " + std::to_string(numbered(i).size()) + " " : "";
      REQUIRE(at < lines.size());
      CHECK((lines[at++] == answer(i, size)));
    }
  }
}

TEST_CASE("a client that leaves in the middle of a FETCH hinders nobody") {
  ImapServer server;
  {
    ImapClient client = server.select();
    client.append("INBOX", "Subject: x\r\n\r\n" + std::string(3'000'000, 'x') + "\r\n");
    client.send("f FETCH 1 BODY.PEEK[]\r\n");
    CHECK_FALSE(client.quiet_for(std::chrono::seconds(5)));
    client.hang_up();
  }
  ImapClient other = server.select();
  CHECK(other.ok("FETCH 1 RFC822.SIZE").starts_with("OK"));
}

TEST_CASE("BODY is BODYSTRUCTURE without its extension data") {
  using imap::without_extension_data;
  const std::string leaf = "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 1";
  CHECK(without_extension_data(leaf + " NIL (\"inline\" NIL) NIL NIL)") == leaf + ")");
  CHECK(without_extension_data(leaf + ")") == leaf + ")");
  CHECK(without_extension_data("(" + leaf + " NIL NIL NIL NIL)" + leaf +
                               " NIL NIL NIL NIL) \"mixed\" (\"a\" {3}\r\n)\"() NIL NIL NIL)") ==
        "(" + leaf + ")" + leaf + ") \"mixed\")");
  const std::string image = "(\"image\" \"png\" NIL NIL \"a \\\" ) b\" \"base64\" 99";
  CHECK(without_extension_data(image + " NIL NIL NIL NIL)") == image + ")");
  const std::string envelope = "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)";
  CHECK(without_extension_data("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 " + envelope + " " + leaf +
                               " NIL NIL NIL NIL) 3 NIL NIL NIL NIL)") ==
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 " + envelope + " " + leaf + ") 3)");
  CHECK(without_extension_data("(\"broken\"") == "(\"broken\"");
}

TEST_CASE("message/global is a message to those who know UTF-8, and a part like any other to IMAP4rev1") {
  using imap::body_structure_with;
  using imap::GlobalParts;
  const std::string leaf = "(\"text\" \"plain\" NIL NIL NIL \"8bit\" 5 1 NIL NIL NIL NIL)";
  const std::string start = "(\"message\" \"global\" NIL NIL NIL \"8bit\" 9";
  const std::string rest = " NIL (\"inline\" NIL) NIL NIL)";
  const std::string message = start + " (NIL {2}\r\n\xC3\xBC NIL NIL NIL NIL NIL NIL NIL NIL) " + leaf + " 3" + rest;
  CHECK(body_structure_with(message, GlobalParts::messages) == message);
  CHECK(body_structure_with(message, GlobalParts::plain) == start + rest);
  CHECK(imap::without_extension_data(message, GlobalParts::plain) == start + ")");
  const std::string both = "(" + leaf + message + " \"mixed\" NIL NIL NIL NIL)";
  CHECK(body_structure_with(both, GlobalParts::plain) == "(" + leaf + start + rest + " \"mixed\" NIL NIL NIL NIL)");
  CHECK(body_structure_with("(\"broken\"", GlobalParts::plain) == "(\"broken\"");
}
