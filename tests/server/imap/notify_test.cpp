// NOTIFY (RFC 5465): what a registration makes of two pictures of an account, and sessions that are told.
#include "server/imap/notify_registration.h"
#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;
using imap::AccountPicture;
using imap::NameNotice;
using imap::NotifyGroup;
using imap::NotifyRegistration;
using imap::NotifyRule;
using imap::StateNotice;

namespace {

MailboxName named(const std::string& name) {
  return must(MailboxName::from_wire(name, MailboxName::Encoding::utf8, '/'));
}

storage::Mailbox box(const std::string& name, std::uint64_t id, bool subscribed = false) {
  storage::Mailbox mailbox;
  mailbox.name = named(name);
  mailbox.id = MailboxId(id);
  mailbox.exists = id != 0;
  mailbox.subscribed = subscribed;
  return mailbox;
}

storage::MailboxStatus state(std::uint32_t messages, std::uint32_t uid_next, std::uint32_t unseen = 0,
                             std::uint64_t modseq = 1) {
  storage::MailboxStatus status;
  status.messages = messages;
  status.uid_next = Uid(uid_next);
  status.unseen = unseen;
  status.highest_modseq = ModSeq(modseq);
  return status;
}

enum class Wants { messages, flags, names, subscriptions };

NotifyRule rule(NotifyGroup::Filter filter, Wants wants, const std::vector<std::string>& names = {}) {
  NotifyRule made;
  made.filter = filter;
  for (const std::string& name : names) made.names.push_back(named(name));
  made.events.messages = wants == Wants::messages || wants == Wants::flags;
  made.events.flags = wants == Wants::flags;
  made.events.mailbox_name = wants == Wants::names;
  made.events.subscription = wants == Wants::subscriptions;
  return made;
}

NotifyRegistration personal(Wants wants) {
  NotifyRegistration registration;
  registration.rules.push_back(rule(NotifyGroup::Filter::personal, wants));
  return registration;
}

// "a", "-a" for one that is gone, "b<a" for one that was a; in the order in which they are told.
std::string told(const std::vector<NameNotice>& notices) {
  std::string text;
  for (const NameNotice& notice : notices) {
    text += text.empty() ? "" : " ";
    if (!notice.mailbox.exists) text += "-";
    text += notice.mailbox.name.utf8();
    if (notice.mailbox.subscribed) text += "*";
    if (notice.old_name) text += "<" + std::string(notice.old_name->utf8());
  }
  return text;
}

std::string told(const std::vector<StateNotice>& notices) {
  std::string text;
  for (const StateNotice& notice : notices) {
    text += (text.empty() ? "" : " ") + std::string(notice.mailbox.name.utf8());
  }
  return text;
}

AccountPicture picture(std::vector<storage::Mailbox> mailboxes) {
  AccountPicture made;
  made.mailboxes = std::move(mailboxes);
  return made;
}

std::string names_told(Wants wants, std::vector<storage::Mailbox> before, std::vector<storage::Mailbox> after) {
  return told(name_notices(personal(wants), picture(std::move(before)), picture(std::move(after))));
}

// As the session does: what the client did itself is no news.
std::string others_told(Wants wants, AccountPicture before, std::vector<storage::Mailbox> after) {
  const AccountPicture now = picture(std::move(after));
  expect_own(before, now);
  return told(name_notices(personal(wants), before, now));
}

}  // namespace

TEST_CASE("a mailbox that is made or deleted is told, and its direct parent") {
  CHECK(names_told(Wants::names, {box("a", 1)}, {box("a", 1), box("b", 2)}) == "b");
  CHECK(names_told(Wants::names, {box("a", 1)}, {box("a", 1), box("a/b", 2)}) == "a/b a");
  CHECK(names_told(Wants::names, {}, {box("a", 0), box("a/b", 2)}) == "a/b -a");
  CHECK(names_told(Wants::names, {box("a", 1), box("a/b", 2)}, {box("a", 1)}) == "-a/b a");
  CHECK(names_told(Wants::names, {box("a", 1)}, {box("a", 2)}) == "a");
  CHECK(names_told(Wants::names, {box("a", 1)}, {box("a", 1)}) == "");
  CHECK(names_told(Wants::subscriptions, {box("a", 1)}, {box("b", 2)}) == "");
}

TEST_CASE("a renamed mailbox is told once, without what is below it") {
  CHECK(names_told(Wants::names, {box("a", 1), box("a/x", 2)}, {box("b", 1), box("b/x", 2)}) == "b<a");
  // What went elsewhere by a rename of its own is told.
  CHECK(names_told(Wants::names, {box("a", 1), box("a/x", 2)}, {box("b", 1), box("c", 2)}) == "b<a c<a/x");
}

TEST_CASE("subscriptions are told with what they are now") {
  CHECK(names_told(Wants::subscriptions, {box("a", 1)}, {box("a", 1, true)}) == "a*");
  CHECK(names_told(Wants::subscriptions, {box("a", 1, true)}, {box("a", 1)}) == "a");
  CHECK(names_told(Wants::subscriptions, {box("a", 0, true)}, {}) == "-a");
  CHECK(names_told(Wants::subscriptions, {}, {box("a", 0, true)}) == "-a*");
  CHECK(names_told(Wants::names, {box("a", 1)}, {box("a", 1, true)}) == "");
}

TEST_CASE("which mailboxes a rule covers") {
  using Filter = NotifyGroup::Filter;
  const storage::Mailbox inner = box("a/b", 1, true);
  CHECK(rule(Filter::personal, Wants::messages).covers(inner));
  CHECK(rule(Filter::inboxes, Wants::messages).covers(inner));
  CHECK(rule(Filter::subscribed, Wants::messages).covers(inner));
  CHECK_FALSE(rule(Filter::subscribed, Wants::messages).covers(box("a/b", 1)));
  CHECK(rule(Filter::subtree, Wants::messages, {"x", "a"}).covers(inner));
  CHECK(rule(Filter::subtree, Wants::messages, {"a/b"}).covers(inner));
  CHECK_FALSE(rule(Filter::subtree, Wants::messages, {"a/b/c", "aa"}).covers(inner));
  CHECK(rule(Filter::mailboxes, Wants::messages, {"a/b"}).covers(inner));
  CHECK_FALSE(rule(Filter::mailboxes, Wants::messages, {"a", "a/%", "*"}).covers(inner));
}

TEST_CASE("the rules that cover a mailbox add up") {
  NotifyRegistration registration = personal(Wants::subscriptions);
  registration.rules.push_back(rule(NotifyGroup::Filter::mailboxes, Wants::messages, {"a"}));
  CHECK(registration.events_of(box("a", 1)).messages);
  CHECK(registration.events_of(box("a", 1)).subscription);
  CHECK_FALSE(registration.events_of(box("b", 2)).messages);
  CHECK_FALSE(registration.names_alone());
  registration.rules.erase(registration.rules.begin());
  CHECK(registration.names_alone() == std::set<MailboxName>{named("a")});
}

TEST_CASE("a state is told when a count moved, and for flags when what the client can see of them did") {
  AccountPicture before = picture({box("a", 1)});
  AccountPicture after = before;
  before.states[MailboxId(1)] = state(2, 5, 1, 7);
  const auto differs = [&](Wants wants, storage::MailboxStatus now, bool modseqs) {
    after.states[MailboxId(1)] = now;
    return told(state_notices(personal(wants), before, after, modseqs)) == "a";
  };
  CHECK_FALSE(differs(Wants::flags, state(2, 5, 1, 7), true));
  CHECK(differs(Wants::messages, state(3, 6, 1, 7), false));
  CHECK(differs(Wants::messages, state(2, 6, 1, 7), false));
  CHECK(differs(Wants::messages, state(1, 5, 1, 7), false));
  CHECK_FALSE(differs(Wants::messages, state(2, 5, 0, 8), true));
  CHECK(differs(Wants::flags, state(2, 5, 0, 8), false));
  CHECK_FALSE(differs(Wants::flags, state(2, 5, 1, 8), false));
  CHECK(differs(Wants::flags, state(2, 5, 1, 8), true));
  before.states.clear();
  CHECK(differs(Wants::messages, state(0, 1), false));
}

TEST_CASE("what the client makes, deletes, renames and subscribes itself is no news to it") {
  AccountPicture before = picture({box("a", 1)});
  make_own(before, named("b/c/d"));
  const std::vector<storage::Mailbox> made = {box("a", 1), box("b", 2), box("b/c", 3), box("b/c/d", 4)};
  CHECK(others_told(Wants::names, before, made) == "");
  // Somebody else made another one below, and deleted one of them.
  CHECK(others_told(Wants::names, before, {box("a", 1), box("b", 2), box("b/c", 3), box("b/x", 5)}) ==
        "-b/c/d b/c b/x b");

  AccountPicture deleted = picture({box("a", 1), box("a/b", 2, true)});
  delete_own(deleted, named("a/b"));
  CHECK(others_told(Wants::names, deleted, {box("a", 1), box("a/b", 0, true)}) == "");
  CHECK(others_told(Wants::subscriptions, deleted, {box("a", 1), box("a/b", 0, true)}) == "");

  AccountPicture subscribed = picture({box("a", 1)});
  subscribe_own(subscribed, named("a"), true);
  subscribe_own(subscribed, named("none"), true);
  CHECK(others_told(Wants::subscriptions, subscribed, {box("a", 1, true), box("none", 0, true)}) == "");
  CHECK(others_told(Wants::subscriptions, subscribed, {box("a", 1), box("none", 0, true)}) == "a");
}

TEST_CASE("the client's own RENAME takes what is below along and leaves subscriptions with the names") {
  AccountPicture before = picture({box("a", 1, true), box("a/x", 2, true), box("n/b/x", 0, true)});
  rename_own(before, named("a"), named("n/b"));
  const std::vector<storage::Mailbox> after = {box("a", 0, true), box("a/x", 0, true), box("n", 3), box("n/b", 1),
                                               box("n/b/x", 2, true)};
  CHECK(others_told(Wants::names, before, after) == "");
  CHECK(others_told(Wants::subscriptions, before, after) == "");

  // Before anybody has looked at the account in between.
  AccountPicture new_ones = picture({});
  make_own(new_ones, named("a/x"));
  rename_own(new_ones, named("a"), named("b"));
  CHECK(others_told(Wants::names, new_ones, {box("b", 1), box("b/x", 2)}) == "");
  rename_own(new_ones, named("b/x"), named("c"));
  delete_own(new_ones, named("b"));
  CHECK(others_told(Wants::names, new_ones, {box("c", 2)}) == "");

  AccountPicture inbox = picture({box("INBOX", 1)});
  rename_own(inbox, named("INBOX"), named("old/mail"));
  CHECK(others_told(Wants::names, inbox, {box("INBOX", 1), box("old", 2), box("old/mail", 3)}) == "");
}

TEST_CASE("the client's own messages are no news, unless others came between") {
  AccountPicture before = picture({box("a", 1)});
  before.states[MailboxId(1)] = state(2, 5);
  AccountPicture after = before;
  const auto is_told = [&](const UidSet& own, storage::MailboxStatus now) {
    AccountPicture known = before;
    add_own(known, MailboxId(1), own);
    after.states[MailboxId(1)] = now;
    return told(state_notices(personal(Wants::messages), known, after, false)) == "a";
  };
  CHECK_FALSE(is_told(UidSet{Uid(5), Uid(6)}, state(4, 7)));
  CHECK(is_told(UidSet{Uid(6)}, state(4, 7)));
  CHECK(is_told(UidSet{Uid(5)}, state(4, 7)));
  CHECK(is_told(UidSet{Uid(5)}, state(2, 6)));
}

namespace {

constexpr std::chrono::milliseconds a_while(150);

// A session that has INBOX selected and sent this.
ImapClient watcher_of(ImapServer& server, const std::string& notify, const std::string& enable = "") {
  ImapClient client = server.login();
  if (!enable.empty()) REQUIRE(client.ok("ENABLE " + enable).starts_with("OK"));
  REQUIRE(client.ok("SELECT INBOX").starts_with("OK"));
  REQUIRE(client.ok("NOTIFY " + notify).starts_with("OK"));
  return client;
}

// What the server sends by itself, without the RECENT that one of several sessions is told.
std::string heard(ImapClient& client) {
  std::string line = client.read();
  while (line.ends_with(" RECENT")) line = client.read();
  return line;
}

// Nothing comes, and a command finds nothing either; but for RECENT, whose number an EXPUNGE may change.
void check_silent(ImapClient& client) {
  while (!client.quiet_for(a_while)) REQUIRE(client.read().ends_with(" RECENT"));
  CHECK(client.run("NOOP").size() == 1);
}

}  // namespace

TEST_CASE("NOTIFY is advertised, and its errors are told apart") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(contains(client.run("CAPABILITY"), " NOTIFY"));
  CHECK(client.ok("NOTIFY SET (PERSONAL (MessageNew MessageExpunge ServerMetadataChange))")
            .starts_with("NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)]"));
  CHECK(client.ok("NOTIFY SET (PERSONAL (FlagChange))").starts_with("BAD"));
  CHECK(client.ok("NOTIFY SET (PERSONAL (MessageNew))").starts_with("BAD"));
  CHECK(client.ok("NOTIFY SET (SELECTED (MessageNew (BODY[) MessageExpunge))").starts_with("BAD"));
  CHECK(client.ok("NOTIFY NONE").starts_with("OK"));
}

TEST_CASE("SELECTED: what others do is told between commands") {
  ImapServer server;
  ImapClient actor = server.select();
  ImapClient watcher = watcher_of(
      server, "SET (SELECTED (MessageNew (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))");
  actor.append("INBOX", small_message, "\\Flagged");
  CHECK(heard(watcher) == "* 1 EXISTS");
  const std::string fetched = heard(watcher);
  CHECK(fetched.starts_with("* 1 FETCH (UID 1 FLAGS (\\Flagged"));
  CHECK(fetched.find("Subject: Hello\r\n") != std::string::npos);
  actor.run("STORE 1 +FLAGS (\\Deleted)");
  CHECK(heard(watcher).starts_with("* 1 FETCH (UID 1 FLAGS ("));
  actor.run("EXPUNGE");
  CHECK(heard(watcher) == "* 1 EXPUNGE");
  check_silent(watcher);
}

TEST_CASE("what the client itself adds to the selected mailbox is told, but not fetched") {
  ImapServer server;
  ImapClient watcher = watcher_of(server, "SET (SELECTED (MessageNew (FLAGS) MessageExpunge FlagChange))");
  const std::string size = std::to_string(small_message.size());
  const Lines lines = watcher.run("APPEND INBOX {" + size + "+}\r\n" + small_message);
  CHECK(contains(lines, "* 1 EXISTS"));
  CHECK_FALSE(contains(lines, "FETCH"));
  const Lines copied = watcher.run("COPY 1 INBOX");
  CHECK(contains(copied, "* 2 EXISTS"));
  CHECK_FALSE(contains(copied, "FETCH"));
  CHECK(watcher.quiet_for(a_while));
  ImapClient actor = server.login();
  actor.append("INBOX", small_message);
  CHECK(heard(watcher) == "* 3 EXISTS");
  CHECK(heard(watcher).starts_with("* 3 FETCH (UID 3 FLAGS ("));
}

TEST_CASE("SELECTED-DELAYED: an expunge waits for a command that may tell it") {
  ImapServer server;
  ImapClient actor = server.select();
  for (int i = 0; i < 3; ++i) actor.append("INBOX", small_message);
  ImapClient watcher = watcher_of(server, "SET (SELECTED-DELAYED (MessageNew MessageExpunge FlagChange))");
  actor.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  CHECK(heard(watcher).starts_with("* 1 FETCH (UID 1 FLAGS (\\Deleted"));
  actor.run("EXPUNGE");
  CHECK(watcher.quiet_for(a_while));
  actor.append("INBOX", small_message);
  CHECK(heard(watcher) == "* 4 EXISTS");
  CHECK(contains(watcher.run("FETCH 3 UID"), "* 3 FETCH (UID 3)"));
  CHECK(contains(watcher.run("NOOP"), "* 1 EXPUNGE"));
  // IDLE may tell it too.
  actor.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  CHECK(heard(watcher).starts_with("* 1 FETCH "));
  actor.run("EXPUNGE");
  CHECK(watcher.quiet_for(a_while));
  watcher.send("i IDLE\r\n");
  CHECK(watcher.read() == "+ idling");
  CHECK(heard(watcher) == "* 1 EXPUNGE");
  watcher.send("DONE\r\n");
  CHECK(watcher.read_to("i ").back() == "i OK Idling ended");
}

TEST_CASE("NOTIFY NONE: nothing of the selected mailbox is told but what the client itself does") {
  ImapServer server;
  ImapClient actor = server.select();
  actor.append("INBOX", small_message);
  ImapClient watcher = watcher_of(server, "NONE");
  actor.append("INBOX", small_message);
  actor.run("STORE 1 +FLAGS (\\Flagged)");
  check_silent(watcher);
  watcher.send("i IDLE\r\n");
  CHECK(watcher.read() == "+ idling");
  CHECK(watcher.quiet_for(a_while));
  watcher.send("DONE\r\n");
  CHECK(watcher.read() == "i OK Idling ended");
  CHECK(contains(watcher.run("UID STORE 1 +FLAGS (\\Answered)"), "* 1 FETCH (UID 1 FLAGS (\\Answered \\Flagged"));
  const std::string size = std::to_string(small_message.size());
  CHECK(contains(watcher.run("APPEND INBOX {" + size + "+}\r\n" + small_message), "* 3 EXISTS"));
  CHECK(contains(watcher.run("UID FETCH 3 BODY[]"), "FLAGS (\\Seen"));
  // What it does not know of the flags does not keep them from being set.
  actor.run("NOOP");
  actor.run("STORE 3 -FLAGS (\\Seen)");
  check_silent(watcher);
  watcher.run("UID FETCH 3 BODY[]");
  CHECK(contains(actor.run("FETCH 3 FLAGS"), "\\Seen"));
}

TEST_CASE("what was kept from a client is told by its next NOTIFY") {
  ImapServer server;
  ImapClient actor = server.select();
  for (int i = 0; i < 2; ++i) actor.append("INBOX", small_message);
  ImapClient watcher = watcher_of(server, "SET (SELECTED NONE)");
  actor.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  actor.run("EXPUNGE");
  actor.append("INBOX", small_message);
  check_silent(watcher);
  const Lines lines = watcher.run("NOTIFY SET (SELECTED (MessageNew MessageExpunge))");
  CHECK(contains(lines, "* 1 EXPUNGE"));
  CHECK(contains(lines, "* 2 EXISTS"));
  actor.run("STORE 1 +FLAGS (\\Flagged)");
  check_silent(watcher);
  CHECK(contains(watcher.run("NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))"),
                 "* 1 FETCH (UID 2 FLAGS (\\Flagged"));
}

TEST_CASE("without FlagChange no mod-sequence above what was kept back is told as safe") {
  ImapServer server;
  ImapClient actor = server.select();
  for (int i = 0; i < 3; ++i) actor.append("INBOX", small_message);
  ImapClient watcher = watcher_of(server, "SET (SELECTED (MessageNew MessageExpunge))", "QRESYNC");
  const auto number_of = [](const Lines& lines) {
    for (const std::string& line : lines) {
      const std::size_t at = line.find("HIGHESTMODSEQ ");
      if (at != std::string::npos) return std::stoull(line.substr(at + 14));
    }
    return 0ULL;
  };
  const auto before = number_of(watcher.run("STATUS INBOX (HIGHESTMODSEQ)"));
  actor.run("STORE 1 +FLAGS (\\Flagged)");
  actor.run("STORE 3 +FLAGS.SILENT (\\Deleted)");
  CHECK(watcher.quiet_for(a_while));
  actor.run("EXPUNGE");
  CHECK(heard(watcher) == "* VANISHED 3");
  CHECK(number_of({watcher.read()}) == before);
  CHECK(number_of(watcher.run("NOOP")) == before);
  watcher.run("NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))");
  actor.run("STORE 2 +FLAGS.SILENT (\\Deleted)");
  CHECK(heard(watcher).starts_with("* 2 FETCH "));
  actor.run("EXPUNGE");
  CHECK(heard(watcher) == "* VANISHED 2");
  CHECK(number_of({watcher.read()}) > before);
}

TEST_CASE("other mailboxes: STATUS on delivery, expunge and, if asked for, flags") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE Lists");
  actor.run("CREATE Lists/one");
  actor.run("CREATE Apart");
  ImapClient watcher = watcher_of(server, "SET (SUBTREE Lists (MessageNew MessageExpunge FlagChange))");
  actor.append("Apart", small_message);
  actor.append("Lists/one", small_message);
  CHECK(watcher.read() == "* STATUS Lists/one (MESSAGES 1 UIDNEXT 2 UIDVALIDITY " + [&] {
    const std::string line = actor.run("STATUS Lists/one (UIDVALIDITY)")[0];
    return line.substr(line.find("UIDVALIDITY ") + 12, line.size() - line.find("UIDVALIDITY ") - 13);
  }() + " UNSEEN 1)");
  actor.run("SELECT Lists/one");
  actor.run("STORE 1 +FLAGS (\\Seen)");
  CHECK(watcher.read().find("UNSEEN 0") != std::string::npos);
  actor.run("STORE 1 +FLAGS.SILENT (\\Deleted)");  // nothing that can be told without CONDSTORE
  CHECK(watcher.quiet_for(a_while));
  actor.run("EXPUNGE");
  CHECK(watcher.read().starts_with("* STATUS Lists/one (MESSAGES 0 UIDNEXT 2 "));
  check_silent(watcher);
}

TEST_CASE("other mailboxes with CONDSTORE: HIGHESTMODSEQ, and flags that move no count") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE other");
  ImapClient watcher = watcher_of(server, "SET (MAILBOXES other (MessageNew MessageExpunge FlagChange))", "CONDSTORE");
  actor.append("other", small_message);
  CHECK(watcher.read().find(" HIGHESTMODSEQ ") != std::string::npos);
  actor.run("SELECT other");
  actor.run("STORE 1 +FLAGS (\\Flagged)");
  CHECK(watcher.read().find(" HIGHESTMODSEQ ") != std::string::npos);
}

TEST_CASE("the STATUS indicator asks for the state of each mailbox but the selected one") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE a");
  actor.append("a", small_message);
  ImapClient watcher = server.select();
  const Lines lines = watcher.run("NOTIFY SET STATUS (PERSONAL (MessageNew MessageExpunge FlagChange))");
  CHECK(contains(lines, "* STATUS a (MESSAGES 1 UIDNEXT 2 UIDVALIDITY "));
  CHECK(contains(lines, "* STATUS Sent (MESSAGES 0 "));
  CHECK_FALSE(contains(lines, "* STATUS INBOX "));
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) CHECK(lines[i].find(" HIGHESTMODSEQ ") != std::string::npos);
  CHECK(watcher.run("NOTIFY SET STATUS (PERSONAL (MailboxName))").size() == 1);
  CHECK(watcher.run("NOTIFY SET STATUS (MAILBOXES (no-such a) (MessageNew MessageExpunge))").size() == 2);
  CHECK(watcher.run("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))").size() == 1);
}

TEST_CASE("the mailbox that is selected is told by SELECTED alone, and another one once it is left") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE other");
  ImapClient watcher = watcher_of(server, "SET (PERSONAL (MessageNew MessageExpunge))");
  actor.append("INBOX", small_message);
  check_silent(watcher);
  // It has not heard of that message: leaving the mailbox tells.
  CHECK(watcher.ok("UNSELECT").starts_with("OK"));
  CHECK(watcher.read().starts_with("* STATUS INBOX (MESSAGES 1 "));
  CHECK(watcher.ok("SELECT INBOX").starts_with("OK"));
  CHECK(watcher.quiet_for(a_while));
  CHECK(watcher.ok("SELECT other").starts_with("OK"));
  CHECK(watcher.quiet_for(a_while));  // nothing has changed since it was selected
  actor.append("INBOX", small_message);
  CHECK(watcher.read().starts_with("* STATUS INBOX (MESSAGES 2 "));
}

TEST_CASE("names: what another session creates, renames, deletes and subscribes is told, one's own is not") {
  ImapServer server;
  ImapClient actor = server.login();
  ImapClient watcher = watcher_of(server, "SET (PERSONAL (MailboxName SubscriptionChange))");
  actor.run("CREATE a");
  CHECK(watcher.read() == "* LIST (\\HasNoChildren) \"/\" a");
  actor.run("CREATE a/b");
  CHECK(watcher.read() == "* LIST (\\HasNoChildren) \"/\" a/b");
  CHECK(watcher.read() == "* LIST (\\HasChildren) \"/\" a");
  actor.run("SUBSCRIBE a/b");
  CHECK(watcher.read() == "* LIST (\\Subscribed \\HasNoChildren) \"/\" a/b");
  actor.run("UNSUBSCRIBE a/b");
  CHECK(watcher.read() == "* LIST (\\HasNoChildren) \"/\" a/b");
  actor.run("RENAME a c");
  CHECK(watcher.read() == "* LIST (\\HasChildren) \"/\" c (\"OLDNAME\" (a))");
  actor.run("DELETE c/b");
  CHECK(watcher.read() == "* LIST (\\NonExistent \\HasNoChildren) \"/\" c/b");
  CHECK(watcher.read() == "* LIST (\\HasNoChildren) \"/\" c");
  check_silent(watcher);

  for (const std::string command : {"CREATE x/y/z", "SUBSCRIBE x/y", "RENAME x w/v", "UNSUBSCRIBE x/y",
                                    "DELETE w/v/y/z", "RENAME INBOX kept/inbox", "SUBSCRIBE none", "DELETE c"}) {
    CAPTURE(command);
    CHECK(watcher.run(command).size() == 1);
    CHECK(watcher.quiet_for(a_while));
  }
  actor.run("CREATE w/q");
  CHECK(watcher.read() == "* LIST (\\HasNoChildren) \"/\" w/q");
}

TEST_CASE("one's own APPEND, COPY, MOVE and REPLACE to a watched mailbox are no news") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE other");
  for (int i = 0; i < 3; ++i) actor.append("INBOX", small_message);
  ImapClient watcher =
      watcher_of(server, "SET (SELECTED (MessageNew MessageExpunge)) (PERSONAL (MessageNew MessageExpunge))");
  watcher.append("other", small_message);
  CHECK(watcher.ok("COPY 1:2 other").starts_with("OK"));
  CHECK(watcher.ok("MOVE 1 other").starts_with("OK"));
  const std::string size = std::to_string(small_message.size());
  CHECK(watcher.ok("REPLACE 1 other {" + size + "+}\r\n" + small_message).starts_with("OK"));
  CHECK(watcher.quiet_for(a_while));
  actor.append("other", small_message);
  CHECK(watcher.read().starts_with("* STATUS other (MESSAGES 6 "));
}

TEST_CASE("IDLE tells the same events as between commands") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE other");
  ImapClient watcher = watcher_of(server,
                                  "SET (SELECTED (MessageNew (UID) MessageExpunge)) (PERSONAL (MailboxName)) "
                                  "(MAILBOXES other (MessageNew MessageExpunge))");
  watcher.send("i IDLE\r\n");
  CHECK(watcher.read() == "+ idling");
  actor.append("INBOX", small_message);
  CHECK(heard(watcher) == "* 1 EXISTS");
  CHECK(heard(watcher) == "* 1 FETCH (UID 1)");
  actor.append("other", small_message);
  CHECK(heard(watcher).starts_with("* STATUS other (MESSAGES 1 "));
  actor.run("CREATE new");
  CHECK(heard(watcher) == "* LIST (\\HasNoChildren) \"/\" new");
  actor.run("SELECT INBOX");
  actor.run("STORE 1 +FLAGS (\\Flagged)");
  CHECK(watcher.quiet_for(a_while));
  watcher.send("DONE\r\n");
  CHECK(watcher.read() == "i OK Idling ended");
}

TEST_CASE("too many mailboxes: NO at once, and an end of all notices later") {
  Settings settings = test_settings();
  settings.imap.notify_mailboxes = 2;
  ImapServer server(settings);
  ImapClient actor = server.login();
  actor.run("CREATE top/a");
  ImapClient watcher = server.select();
  const std::string ask = "NOTIFY SET (SELECTED (MessageNew MessageExpunge)) (SUBTREE top (MessageNew MessageExpunge))";
  CHECK(watcher.ok(ask).starts_with("OK"));
  actor.run("CREATE top/b");
  CHECK(watcher.read().starts_with("* OK [NOTIFICATIONOVERFLOW] "));
  actor.append("INBOX", small_message);
  check_silent(watcher);
  CHECK(watcher.ok(ask).starts_with("NO [NOTIFICATIONOVERFLOW]"));
  CHECK(watcher.ok("NOTIFY SET (SELECTED (MessageNew MessageExpunge))").starts_with("OK"));
  actor.append("INBOX", small_message);
  CHECK(heard(watcher) == "* 2 EXISTS");
}

TEST_CASE("a selected mailbox that is deleted ends a watching session with BYE") {
  for (const std::string ask : {"SET (SELECTED (MessageNew MessageExpunge))", "SET (PERSONAL (MailboxName))"}) {
    CAPTURE(ask);
    ImapServer server;
    ImapClient actor = server.login();
    actor.run("CREATE doomed");
    ImapClient watcher = server.select("doomed");
    REQUIRE(watcher.ok("NOTIFY " + ask).starts_with("OK"));
    actor.run("DELETE doomed");
    CHECK(watcher.read_to("* BYE").back() == "* BYE The selected mailbox was deleted");
    CHECK(watcher.at_end());
  }
}

TEST_CASE("a user who leaves takes the registration along") {
  ImapServer server;
  ImapClient watcher = watcher_of(server, "SET (PERSONAL (MailboxName))");
  CHECK(watcher.ok("UNAUTHENTICATE").starts_with("OK"));
  CHECK(watcher.ok("LOGIN bob secret").starts_with("OK"));
  ImapClient alice = server.login();
  alice.run("CREATE a");
  ImapClient bob = server.login("bob");
  bob.run("CREATE b");
  check_silent(watcher);
}

TEST_CASE("notices and commands in any order: a watching client hears of every message") {
  ImapServer server;
  ImapClient watcher = watcher_of(server, "SET (SELECTED (MessageNew (UID) MessageExpunge FlagChange))");
  constexpr unsigned count = 300;
  std::thread deliverer([&] {
    ImapClient actor = server.login();
    for (unsigned i = 0; i < count; ++i) actor.append("INBOX", small_message);
  });
  unsigned exists = 0;
  unsigned fetched = 0;
  const auto take = [&](const std::string& line) {
    if (line.ends_with(" EXISTS")) exists = static_cast<unsigned>(std::stoul(line.substr(2)));
    if (line.find(" FETCH (UID ") != std::string::npos) ++fetched;
  };
  unsigned round = 0;
  while (exists < count) {
    if (round++ % 3 == 0) {
      for (const std::string& line : watcher.run("UID SEARCH UNDELETED")) take(line);
    } else {
      take(watcher.read());
    }
  }
  deliverer.join();
  for (const std::string& line : watcher.run("NOOP")) take(line);
  CHECK(exists == count);
  CHECK(fetched == count);
}
