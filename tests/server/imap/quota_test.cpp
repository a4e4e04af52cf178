// GETQUOTA, GETQUOTAROOT and STATUS DELETED-STORAGE. RFC 9208. That limits hold is storage's contract test.
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

TEST_CASE("a user without limits has one for mailboxes only") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(client.run("GETQUOTA user") == Lines{"* QUOTA user (MAILBOX 6 10000)", "OK Quota told"});
  client.ok("CREATE a/b");
  CHECK(client.run("GETQUOTAROOT \"not there\"") ==
        Lines{"* QUOTAROOT \"not there\" user", "* QUOTA user (MAILBOX 8 10000)", "OK Quota told"});
  CHECK(client.ok("GETQUOTA other").starts_with("NO [NONEXISTENT]"));
  CHECK(client.ok("SETQUOTA user (STORAGE 1)").starts_with("BAD"));
}

TEST_CASE("limits are told with what is used of them, in units of 1,024 octets") {
  Settings settings = test_settings();
  settings.quota.storage = 10'240;
  settings.quota.messages = 3;
  ImapServer server(settings);
  ImapClient client = server.login();
  client.append("INBOX", small_message + std::string(1024, 'x'));
  const Lines lines = client.run("GETQUOTAROOT INBOX");
  CHECK(contains(lines, "* QUOTAROOT INBOX user"));
  CHECK(contains(lines, "* QUOTA user (STORAGE 2 10 MESSAGE 1 3 MAILBOX 6 10000)"));
}

TEST_CASE("DELETED-STORAGE is what EXPUNGE would give back") {
  ImapServer server;
  ImapClient client = server.select();
  for (int i = 0; i < 3; ++i) client.append("INBOX", small_message);
  CHECK(contains(client.run("STATUS INBOX (DELETED DELETED-STORAGE)"), "(DELETED 0 DELETED-STORAGE 0)"));
  client.ok("STORE 1:2 +FLAGS (\\Deleted)");
  const std::string expected = "(DELETED 2 DELETED-STORAGE " + std::to_string(2 * small_message.size()) + ")";
  CHECK(contains(client.run("STATUS INBOX (DELETED DELETED-STORAGE)"), expected));
  CHECK(contains(client.run("LIST \"\" INBOX RETURN (STATUS (DELETED DELETED-STORAGE))"), expected));
}
