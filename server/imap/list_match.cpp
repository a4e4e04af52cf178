// See list_match.h.
#include "server/imap/list_match.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "protocol/text/utf8.h"

namespace postkeep::imap {

using storage::Mailbox;

namespace {

// What is known of a name from the names below it.
struct Below {
  bool exists = false;              // a mailbox exists below
  bool selected = false;            // one below satisfies the selection
  bool selected_unmatched = false;  // one of those matches no pattern
};

bool satisfies(const Mailbox& mailbox, ListQuery::Select select) {
  switch (select) {
    case ListQuery::Select::existing:
      return mailbox.exists;
    case ListQuery::Select::subscribed:
    case ListQuery::Select::lsub:
      return mailbox.subscribed;
    case ListQuery::Select::special_use:
      return mailbox.exists && mailbox.special_use != SpecialUse::none;
    case ListQuery::Select::subscribed_special_use:
      return mailbox.subscribed && mailbox.special_use != SpecialUse::none;
  }
  return false;
}

bool matches_any(const ListQuery& query, const std::string& name) {
  return std::any_of(query.patterns.begin(), query.patterns.end(),
                     [&](const std::string& pattern) { return matches_list_pattern(pattern, name); });
}

// Adds the levels of hierarchy that storage does not list since nothing exists below them: LSUB and RECURSIVEMATCH
// answer with them for the sake of subscribed names. Sorts by name.
void add_missing_levels(std::vector<Mailbox>& mailboxes) {
  std::set<std::string> known;
  for (const Mailbox& mailbox : mailboxes) known.insert(mailbox.name.utf8());
  const std::size_t given = mailboxes.size();
  for (std::size_t i = 0; i < given; ++i) {
    for (std::optional<MailboxName> up = mailboxes[i].name.parent(); up; up = up->parent()) {
      if (!known.insert(up->utf8()).second) break;
      Mailbox level;
      level.name = *up;
      level.exists = false;
      mailboxes.push_back(std::move(level));
    }
  }
  std::sort(mailboxes.begin(), mailboxes.end(), [](const Mailbox& a, const Mailbox& b) { return a.name < b.name; });
}

// For every name that has something below it: what that is.
std::map<std::string, Below> survey(const std::vector<Mailbox>& mailboxes, const ListQuery& query) {
  std::map<std::string, Below> below;
  for (const Mailbox& mailbox : mailboxes) {
    const bool selected = satisfies(mailbox, query.select);
    if (!selected && !mailbox.exists) continue;
    const bool unmatched = selected && !matches_any(query, mailbox.name.utf8());
    for (std::optional<MailboxName> up = mailbox.name.parent(); up; up = up->parent()) {
      Below& entry = below[up->utf8()];
      entry.exists |= mailbox.exists;
      entry.selected |= selected;
      entry.selected_unmatched |= unmatched;
    }
  }
  return below;
}

}  // namespace

std::vector<ListMatch> match_mailboxes(std::vector<Mailbox> mailboxes, const ListQuery& query) {
  add_missing_levels(mailboxes);
  const std::map<std::string, Below> below = survey(mailboxes, query);
  std::vector<ListMatch> matches;
  for (Mailbox& mailbox : mailboxes) {
    if (!matches_any(query, mailbox.name.utf8())) continue;
    const auto found = below.find(mailbox.name.utf8());
    const Below under = found == below.end() ? Below() : found->second;
    ListMatch match;
    match.has_children = under.exists;
    if (satisfies(mailbox, query.select)) {
      match.child_info = query.recursive_match && under.selected;
    } else if (query.select == ListQuery::Select::existing && under.exists) {
      // A level of hierarchy: \NonExistent.
    } else if (query.select == ListQuery::Select::lsub && under.selected_unmatched) {
      match.level_only = true;
    } else if (query.recursive_match && under.selected_unmatched) {
      match.level_only = true;
      match.child_info = true;
    } else {
      continue;
    }
    match.mailbox = std::move(mailbox);
    matches.push_back(std::move(match));
  }
  return matches;
}

std::string canonical_pattern(std::string_view reference, std::string_view pattern, MailboxName::Encoding encoding,
                              char separator) {
  std::string whole(reference);
  whole += pattern;
  if (encoding == MailboxName::Encoding::modified_utf7) {
    if (std::optional<std::string> decoded = decode_modified_utf7(whole)) whole = std::move(*decoded);
  }
  whole = text::to_nfc(whole);  // as names are kept
  if (separator != '/') std::replace(whole.begin(), whole.end(), separator, '/');
  return whole;
}

}  // namespace postkeep::imap
