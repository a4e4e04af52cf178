// FETCH PREVIEW. RFC 8970. What it says is tests/protocol/mime/preview_test.cpp's matter.
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

TEST_CASE("PREVIEW is told with other items and by itself, lazily too, and sets no flag") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", "Subject: s\r\n\r\nThe first words\r\nof it\r\n");
  client.append("INBOX", "Content-Type: image/png\r\n\r\n....");
  client.append("INBOX", "Content-Type: text/plain; charset=utf-8\r\n\r\nna\xc3\xafve\r\n");
  CHECK(client.run("FETCH 1 PREVIEW") == Lines{"* 1 FETCH (PREVIEW \"The first words of it\")", "OK Fetched"});
  CHECK(client.run("FETCH 1:2 (UID PREVIEW (LAZY))") ==
        Lines{"* 1 FETCH (UID 1 PREVIEW \"The first words of it\")", "* 2 FETCH (UID 2 PREVIEW \"\")", "OK Fetched"});
  CHECK(client.run("FETCH 3 (PREVIEW)")[0] == "* 3 FETCH (PREVIEW {6}\r\nna\xc3\xafve)");
  CHECK(contains(client.run("FETCH 1 FLAGS"), "FLAGS (\\Recent)"));
}
