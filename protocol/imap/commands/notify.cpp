#include "protocol/imap/commands/notify.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "protocol/imap/limits.h"

namespace postkeep::imap {
namespace {

using Filter = NotifyGroup::Filter;

struct FilterName {
  std::string_view name;
  Filter filter;
  bool takes_names;
};
constexpr std::array<FilterName, 7> filter_names = {{
    {"SELECTED", Filter::selected, false},
    {"SELECTED-DELAYED", Filter::selected_delayed, false},
    {"INBOXES", Filter::inboxes, false},
    {"PERSONAL", Filter::personal, false},
    {"SUBSCRIBED", Filter::subscribed, false},
    {"SUBTREE", Filter::subtree, true},
    {"MAILBOXES", Filter::mailboxes, true},
}};

// What one group's list has named so far. The two halves of NotifyEvents::messages are judged at the end.
struct Named {
  NotifyEvents events;
  bool message_new = false;
  bool message_expunge = false;
  bool unsupported = false;
};

tl::unexpected<Error> refuse(const Cursor& cursor, std::string text) {
  return tl::unexpected<Error>(cursor.error(std::move(text)));
}

// one-or-more-mailbox.
Result<std::vector<std::string>> parse_names(Cursor& cursor) {
  std::vector<std::string> names;
  if (!cursor.accept('(')) {
    names.push_back(TRY(cursor.mailbox()));
    return names;
  }
  do {
    if (names.size() == limits::notify_names_max) return refuse(cursor, "Too many mailboxes");
    names.push_back(TRY(cursor.mailbox()));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return names;
}

// The fetch-att list that may follow MessageNew: the space also ends the event, so look first.
Outcome parse_new_message_items(Cursor& cursor, const NotifyGroup& group, NotifyEvents& events) {
  Cursor ahead = cursor;
  if (!ahead.accept(' ') || ahead.peek() != '(') return {};
  if (!group.is_selected()) return refuse(cursor, "FETCH items are for the selected mailbox");
  TRY(cursor.sp());
  events.fetch = TRY(parse_fetch_item_list(cursor));
  return {};
}

Outcome parse_event(Cursor& cursor, const NotifyGroup& group, Named& named) {
  const std::string name = TRY(cursor.keyword());
  if (name == "MESSAGENEW") {
    named.message_new = true;
    return parse_new_message_items(cursor, group, named.events);
  }
  if (name == "MESSAGEEXPUNGE") {
    named.message_expunge = true;
    return {};
  }
  if (name == "FLAGCHANGE") {
    named.events.flags = true;
    return {};
  }
  const bool about_mailboxes = name == "MAILBOXNAME" || name == "SUBSCRIPTIONCHANGE";
  if (about_mailboxes && group.is_selected()) return refuse(cursor, "Only message events go with SELECTED");
  if (name == "MAILBOXNAME") {
    named.events.mailbox_name = true;
  } else if (name == "SUBSCRIPTIONCHANGE") {
    named.events.subscription = true;
  } else {
    named.unsupported = true;
  }
  return {};
}

// RFC 5465 §5: flag changes need both message events, and these come in pairs.
Outcome judge(const Cursor& cursor, const Named& named) {
  if (named.message_new != named.message_expunge) {
    return refuse(cursor, "MessageNew and MessageExpunge go together");
  }
  if (named.events.flags && !named.message_new) return refuse(cursor, "FlagChange needs MessageNew");
  return {};
}

Result<Named> parse_events(Cursor& cursor, const NotifyGroup& group) {
  Named named;
  if (cursor.accept_word("NONE")) return named;
  TRY(cursor.expect('('));
  std::size_t count = 0;
  do {
    if (count++ == limits::notify_events_max) return refuse(cursor, "Too many events");
    TRY(parse_event(cursor, group, named));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  // A refused event decides before the pairs do: the client asked for something that is not here.
  if (!named.unsupported) TRY(judge(cursor, named));
  named.events.messages = named.message_new;
  return named;
}

// event-group.
Outcome parse_group(Cursor& cursor, NotifyArgs& args) {
  NotifyGroup group;
  TRY(cursor.expect('('));
  const std::string word = TRY(cursor.keyword());
  const auto known =
      std::find_if(filter_names.begin(), filter_names.end(), [&](const FilterName& f) { return f.name == word; });
  if (known == filter_names.end()) return refuse(cursor, "Unknown kind of mailboxes");
  group.filter = known->filter;
  const auto is_selected = [](const NotifyGroup& other) { return other.is_selected(); };
  if (group.is_selected() && std::any_of(args.groups.begin(), args.groups.end(), is_selected)) {
    return refuse(cursor, "The selected mailbox is named twice");
  }
  TRY(cursor.sp());
  if (known->takes_names) {
    group.names = TRY(parse_names(cursor));
    TRY(cursor.sp());
  }
  Named named = TRY(parse_events(cursor, group));
  TRY(cursor.expect(')'));
  args.unsupported = args.unsupported || named.unsupported;
  group.events = std::move(named.events);
  args.groups.push_back(std::move(group));
  return {};
}

}  // namespace

Result<NotifyArgs> parse_notify(Cursor& cursor) {
  NotifyArgs args;
  TRY(cursor.sp());
  if (cursor.accept_word("NONE")) {
    TRY(cursor.end());
    return args;
  }
  if (!cursor.accept_word("SET")) return refuse(cursor, "Expected SET or NONE");
  args.status = cursor.accept_sp_word("STATUS");
  do {
    if (args.groups.size() == limits::notify_groups_max) return refuse(cursor, "Too many groups of mailboxes");
    TRY(cursor.sp());
    TRY(parse_group(cursor, args));
  } while (!cursor.end());
  return args;
}

const std::vector<std::string>& notify_event_names() {
  static const std::vector<std::string> names = {"MessageNew", "MessageExpunge", "FlagChange", "MailboxName",
                                                 "SubscriptionChange"};
  return names;
}

}  // namespace postkeep::imap
