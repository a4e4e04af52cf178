// NOTIFY: its arguments. RFC 5465 §8.
#include <doctest/doctest.h>

#include "protocol/imap/commands/notify.h"
#include "protocol/imap/limits.h"
#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

using Filter = NotifyGroup::Filter;

Result<NotifyArgs> notify(const std::string& arguments) { return parsed("NOTIFY " + arguments, parse_notify); }

// The sentence of the error, "" if there is none.
std::string error_of(const std::string& arguments) {
  const auto args = notify(arguments);
  return args ? "" : args.error().text;
}

std::string repeated(const std::string& part, std::size_t count) {
  std::string text = part;
  for (std::size_t i = 1; i < count; ++i) text += " " + part;
  return text;
}

}  // namespace

TEST_CASE("NOTIFY NONE and the filters") {
  const auto none = notify("none");
  REQUIRE(none);
  CHECK(none->groups.empty());

  const auto all = notify(
      "SET (selected-delayed NONE) (inboxes NONE) (Personal NONE) (SUBSCRIBED NONE) (subtree Lists NONE) "
      "(mailboxes (misc \"two words\" INBOX) NONE)");
  REQUIRE(all);
  CHECK_FALSE(all->status);
  REQUIRE(all->groups.size() == 6);
  CHECK(all->groups[0].filter == Filter::selected_delayed);
  CHECK(all->groups[1].filter == Filter::inboxes);
  CHECK(all->groups[2].filter == Filter::personal);
  CHECK(all->groups[3].filter == Filter::subscribed);
  CHECK(all->groups[4].filter == Filter::subtree);
  CHECK(all->groups[4].names == std::vector<std::string>{"Lists"});
  CHECK(all->groups[5].names == std::vector<std::string>{"misc", "two words", "INBOX"});
  CHECK_FALSE(all->groups[5].events.messages);
}

TEST_CASE("events, and what is fetched of new messages") {
  const auto args = notify(
      "set Status (selected (MessageNew (uid body.peek[header.fields (from to)]) messageexpunge FlagChange)) "
      "(personal (MailboxName SubscriptionChange)) (mailboxes INBOX (MessageExpunge MessageNew))");
  REQUIRE(args);
  CHECK(args->status);
  CHECK_FALSE(args->unsupported);
  const NotifyEvents& selected = args->groups[0].events;
  CHECK(selected.messages);
  CHECK(selected.flags);
  REQUIRE(selected.fetch.size() == 2);
  CHECK(selected.fetch[0].kind == FetchItem::Kind::uid);
  CHECK(selected.fetch[1].section.fields == std::vector<std::string>{"from", "to"});
  const NotifyEvents& personal = args->groups[1].events;
  CHECK_FALSE(personal.messages);
  CHECK(personal.mailbox_name);
  CHECK(personal.subscription);
  CHECK(args->groups[2].events.messages);
  CHECK_FALSE(args->groups[2].events.flags);
}

TEST_CASE("an event that is not offered is no mistake in syntax") {
  for (const char* event : {"AnnotationChange", "MailboxMetadataChange", "ServerMetadataChange", "Sunrise"}) {
    CAPTURE(event);
    const auto args = notify("SET (personal (MessageNew MessageExpunge " + std::string(event) + "))");
    REQUIRE(args);
    CHECK(args->unsupported);
    const auto alone = notify("SET (personal (" + std::string(event) + "))");
    REQUIRE(alone);
    CHECK(alone->unsupported);
  }
}

TEST_CASE("events that do not stand alone") {
  CHECK(error_of("SET (personal (MessageNew))") == "MessageNew and MessageExpunge go together");
  CHECK(error_of("SET (personal (MessageExpunge))") == "MessageNew and MessageExpunge go together");
  CHECK(error_of("SET (personal (FlagChange))") == "FlagChange needs MessageNew");
  CHECK(error_of("SET (personal (MessageNew FlagChange))") == "MessageNew and MessageExpunge go together");
}

TEST_CASE("what the selected mailbox may and the others may not, and the other way round") {
  CHECK(error_of("SET (selected (MailboxName))") == "Only message events go with SELECTED");
  CHECK(error_of("SET (selected-delayed (SubscriptionChange))") == "Only message events go with SELECTED");
  CHECK(error_of("SET (inboxes (MessageNew (UID) MessageExpunge))") == "FETCH items are for the selected mailbox");
  CHECK(error_of("SET (selected NONE) (selected-delayed NONE)") == "The selected mailbox is named twice");
}

TEST_CASE("malformed NOTIFY") {
  for (const char* text :
       {"", "SET", "NONE x", "SET STATUS", "SET ()", "SET (personal)", "SET (personal ())", "SET (personal NONE",
        "SET (personal NONE) x", "SET (personal NONE)(inboxes NONE)", "SET (mailboxes NONE)", "SET (mailboxes () NONE)",
        "SET (subtree (a b NONE)", "SET (selected (MessageNew () MessageExpunge))",
        "SET (selected (MessageNew (FULL) MessageExpunge))", "SET (elsewhere NONE)", "SETSTATUS (personal NONE)",
        "SET (selected x NONE)"}) {
    CAPTURE(text);
    CHECK_FALSE(notify(text));
  }
}

TEST_CASE("limits of NOTIFY") {
  CHECK(error_of("SET " + repeated("(personal NONE)", limits::notify_groups_max)) == "");
  CHECK(error_of("SET " + repeated("(personal NONE)", limits::notify_groups_max + 1)) ==
        "Too many groups of mailboxes");
  CHECK(error_of("SET (subtree (" + repeated("a", limits::notify_names_max) + ") NONE)") == "");
  CHECK(error_of("SET (subtree (" + repeated("a", limits::notify_names_max + 1) + ") NONE)") == "Too many mailboxes");
  CHECK(error_of("SET (personal (" + repeated("MailboxName", limits::notify_events_max) + "))") == "");
  CHECK(error_of("SET (personal (" + repeated("MailboxName", limits::notify_events_max + 1) + "))") ==
        "Too many events");
}
