// UTF8=ACCEPT. RFC 9755, RFC 6855. What every server must do is asked by conformance/scripts/rfc9755.
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

const std::string eight_bit_message = "Subject: na\xC3\xAFve\r\n\r\nx\r\n";

}  // namespace

TEST_CASE("ENABLE UTF8=ACCEPT makes names UTF-8 and leaves all else to IMAP4rev1") {
  ImapServer server;
  ImapClient client = server.login();
  client.ok("CREATE Entw&APw-rfe");
  CHECK(client.run("ENABLE UTF8=ACCEPT")[0] == "* ENABLED UTF8=ACCEPT");
  CHECK(client.run("ENABLE UTF8=ACCEPT")[0] == "* ENABLED");
  CHECK(contains(client.run("LIST \"\" \"Entw\xC3\xBC*\""), "\"/\" \"Entw\xC3\xBCrfe\""));
  CHECK(contains(client.run("STATUS \"Entw\xC3\xBCrfe\" (MESSAGES)"), "* STATUS \"Entw\xC3\xBCrfe\" (MESSAGES 0)"));
  CHECK(contains(client.run("GETQUOTAROOT \"Entw\xC3\xBCrfe\""), "* QUOTAROOT \"Entw\xC3\xBCrfe\" user"));
  const Lines opened = client.run("SELECT \"Entw\xC3\xBCrfe\"");
  CHECK(contains(opened, "* 0 RECENT"));
  CHECK_FALSE(contains(opened, "* LIST"));
  CHECK(client.run("SEARCH ALL")[0] == "* SEARCH");
}

TEST_CASE("charsets end with ENABLE UTF8=ACCEPT, not with ENABLE IMAP4rev2") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  client.ok("ENABLE IMAP4rev2");
  for (const char* command : {"SEARCH CHARSET UTF-8 ALL", "SORT (DATE) US-ASCII ALL", "THREAD REFS US-ASCII ALL"}) {
    CAPTURE(command);
    CHECK(client.ok(command).starts_with("OK"));
  }
  CHECK(client.ok("THREAD REFS KLINGON ALL").starts_with("NO [BADCHARSET"));
  client.ok("SEARCH RETURN (SAVE) ALL");
  client.ok("ENABLE UTF8=ACCEPT");
  for (const char* command :
       {"SEARCH CHARSET UTF-8 ALL", "SEARCH CHARSET KLINGON ALL", "SORT (DATE) US-ASCII ALL",
        "SORT RETURN (SAVE) (DATE) KLINGON ALL", "THREAD REFS US-ASCII ALL", "THREAD REFS KLINGON ALL"}) {
    CAPTURE(command);
    CHECK(client.ok(command).starts_with("BAD"));
  }
  CHECK(contains(client.run("SEARCH RETURN (COUNT) $"), "COUNT 1"));
  CHECK(client.ok("SORT (DATE) utf-8 ALL").starts_with("OK"));
  CHECK(client.ok("THREAD REFS \"UTF-8\" ALL").starts_with("OK"));
}

TEST_CASE("UNAUTHENTICATE forgets ENABLE UTF8=ACCEPT") {
  ImapServer server;
  ImapClient client = server.login();
  client.ok("CREATE \"\xC3\xBC\"");
  client.ok("ENABLE UTF8=ACCEPT");
  CHECK(client.ok("UNAUTHENTICATE").starts_with("OK"));
  CHECK(client.ok("LOGIN alice secret").starts_with("OK"));
  CHECK(contains(client.run("LIST \"\" *"), "&APw-"));
  CHECK(client.run("ENABLE UTF8=ACCEPT")[0] == "* ENABLED UTF8=ACCEPT");
}

TEST_CASE("a header in 8 bits is refused from clients without UTF-8 where the administrator wants it so") {
  for (const EightBitHeaders setting : {EightBitHeaders::accept, EightBitHeaders::refuse}) {
    Settings settings = test_settings();
    settings.imap.eight_bit_headers = setting;
    ImapServer server(settings);
    ImapClient client = server.login();
    const std::string command =
        "APPEND INBOX {" + std::to_string(eight_bit_message.size()) + "+}\r\n" + eight_bit_message;
    const bool refused = setting == EightBitHeaders::refuse;
    CHECK(client.ok(command).starts_with(refused ? "NO [CANNOT]" : "OK [APPENDUID"));
    client.ok("ENABLE UTF8=ACCEPT");
    CHECK(client.ok(command).starts_with("OK [APPENDUID"));
    CHECK(contains(client.run("STATUS INBOX (MESSAGES)"), refused ? "(MESSAGES 1)" : "(MESSAGES 2)"));
  }
}
