// GETQUOTA, GETQUOTAROOT, SETQUOTA and STATUS DELETED-STORAGE. RFC 9208. That limits hold is storage's contract test.
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

namespace {

Settings with_admins(std::vector<std::string> names) {
  Settings settings = test_settings();
  settings.imap.quota_admins = std::move(names);
  return settings;
}

// What is kept of a user's limits, as `postkeep quota set` would find it.
storage::QuotaLimits own_limits(ImapServer& server, const std::string& user) {
  const auto ask = [](storage::AccountStore& store) -> Result<storage::QuotaLimits> { return TRY(store.quota()).own; };
  return must(server.gateway().run_blocking(server.gateway().account(user), ask));
}

}  // namespace

TEST_CASE("a user without limits has one for mailboxes only") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(client.run("GETQUOTA user") == Lines{"* QUOTA user (MAILBOX 6 10000)", "OK Quota told"});
  client.ok("CREATE a/b");
  CHECK(client.run("GETQUOTAROOT \"not there\"") ==
        Lines{"* QUOTAROOT \"not there\" user", "* QUOTA user (MAILBOX 8 10000)", "OK Quota told"});
  CHECK(client.ok("GETQUOTA other").starts_with("NO [NONEXISTENT]"));
}

TEST_CASE("who is no administrator may not set limits, nor learn of others'") {
  ImapServer server(with_admins({"bob"}));
  ImapClient alice = server.login();
  CHECK_FALSE(contains(alice.run("CAPABILITY"), "QUOTASET"));
  for (const char* root : {"user", "user/alice", "user/bob", "nonsense"}) {
    CAPTURE(root);
    CHECK(alice.run(std::string("SETQUOTA ") + root + " (STORAGE 1)") == Lines{"NO [NOPERM] You may not set limits"});
  }
  CHECK(alice.ok("SETQUOTA user (STORAGE)").starts_with("BAD"));
  const Lines none = {"NO [NONEXISTENT] No such quota root"};
  CHECK(alice.run("GETQUOTA user/bob") == none);
  CHECK(alice.run("GETQUOTA user/alice") == none);
  CHECK(alice.run("GETQUOTA user/nobody") == none);
  CHECK(own_limits(server, "alice") == storage::QuotaLimits());
}

TEST_CASE("an administrator is one by name without regard to case, and after login only") {
  ImapServer server(with_admins({"ALICE"}));
  ImapClient client = server.connect();
  CHECK_FALSE(contains(client.run("CAPABILITY"), "QUOTASET"));
  client.ok("LOGIN alice secret");
  CHECK(contains(client.run("CAPABILITY"), " QUOTASET "));
  client.ok("UNAUTHENTICATE");
  CHECK(client.ok("SETQUOTA user ()").starts_with("BAD"));
  client.ok("LOGIN bob secret");
  CHECK_FALSE(contains(client.run("CAPABILITY"), "QUOTASET"));
  CHECK(client.ok("SETQUOTA user ()").starts_with("NO [NOPERM]"));
}

TEST_CASE("an administrator sets limits, and what is not named has none any more") {
  Settings settings = with_admins({"alice"});
  settings.quota.messages = 3;
  ImapServer server(settings);
  ImapClient admin = server.login();
  ImapClient bob = server.login("bob");
  CHECK(admin.run("SETQUOTA user/bob (storage 10 MESSAGE 1)") ==
        Lines{"* QUOTA user/bob (STORAGE 0 10 MESSAGE 0 1 MAILBOX 6 10000)", "OK Limits set"});
  CHECK(own_limits(server, "bob") == storage::QuotaLimits{10 * 1024, 1});
  CHECK(bob.run("GETQUOTA user").front() == "* QUOTA user (STORAGE 0 10 MESSAGE 0 1 MAILBOX 6 10000)");
  bob.append("INBOX", small_message);
  CHECK(bob.ok("APPEND INBOX {3+}\r\n\r\nx").starts_with("NO [OVERQUOTA]"));
  CHECK(admin.run("GETQUOTA user/bob").front() == "* QUOTA user/bob (STORAGE 1 10 MESSAGE 1 1 MAILBOX 6 10000)");

  CHECK(admin.run("SETQUOTA user/bob (STORAGE 10)").front() == "* QUOTA user/bob (STORAGE 1 10 MAILBOX 6 10000)");
  bob.append("INBOX", small_message);
  CHECK(admin.run("SETQUOTA user/bob ()").front() == "* QUOTA user/bob (MAILBOX 6 10000)");
  CHECK(own_limits(server, "bob") == storage::QuotaLimits{0, 0});
  CHECK(own_limits(server, "alice") == storage::QuotaLimits());
}

TEST_CASE("an administrator's own root keeps its name and has the other one too") {
  ImapServer server(with_admins({"alice"}));
  ImapClient admin = server.login();
  CHECK(admin.run("SETQUOTA user (MESSAGE 7)") == Lines{"* QUOTA user (MESSAGE 0 7 MAILBOX 6 10000)", "OK Limits set"});
  CHECK(admin.run("GETQUOTA user/alice").front() == "* QUOTA user/alice (MESSAGE 0 7 MAILBOX 6 10000)");
  CHECK(contains(admin.run("GETQUOTAROOT INBOX"), "* QUOTAROOT INBOX user"));
}

TEST_CASE("only the names of users are roots") {
  ImapServer server(with_admins({"alice"}));
  ImapClient admin = server.login();
  // The last two are addresses at which bob gets mail.
  for (const char* root :
       {"user/nobody", "user/", "users/bob", "bob", "\"\"", "user/bob/x", "user/bob+x", "user/bob@localhost"}) {
    CAPTURE(root);
    CHECK(admin.run(std::string("GETQUOTA ") + root) == Lines{"NO [NONEXISTENT] No such quota root"});
    CHECK(admin.run(std::string("SETQUOTA ") + root + " ()") == Lines{"NO [NONEXISTENT] No such quota root"});
  }
}

TEST_CASE("a limit that cannot be set changes none") {
  ImapServer server(with_admins({"alice"}));
  ImapClient admin = server.login();
  admin.ok("SETQUOTA user (STORAGE 10 MESSAGE 20)");
  for (const std::string limit : {"STORAGE 0", "STORAGE 1125899906842625", "STORAGE 9223372036854775807", "MESSAGE 0",
                                  "MESSAGE 1000000000001", "MAILBOX 9", "ANNOTATION-STORAGE 5", "X-UNKNOWN 5"}) {
    CAPTURE(limit);
    const std::string other = limit.starts_with("MESSAGE") ? "STORAGE 5" : "MESSAGE 5";
    CHECK(admin.ok("SETQUOTA user (" + limit + ")").starts_with("NO [CANNOT]"));
    CHECK(admin.ok("SETQUOTA user (" + other + " " + limit + ")").starts_with("NO [CANNOT]"));
  }
  CHECK(own_limits(server, "alice") == storage::QuotaLimits{10 * 1024, 20});
  CHECK(admin.run("SETQUOTA user (STORAGE 1125899906842624 MESSAGE 1000000000000 MAILBOX 10000)").front() ==
        "* QUOTA user (STORAGE 0 1125899906842624 MESSAGE 0 1000000000000 MAILBOX 6 10000)");
}

TEST_CASE("QUOTASET can be hidden as any capability") {
  Settings settings = with_admins({"alice"});
  settings.imap.hidden_capabilities = {{"QUOTASET", "", ""}};
  ImapServer server(settings);
  ImapClient admin = server.login();
  CHECK_FALSE(contains(admin.run("CAPABILITY"), "QUOTASET"));
  CHECK(admin.ok("SETQUOTA user ()") == "BAD Unknown command");
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
