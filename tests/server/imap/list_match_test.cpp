#include "server/imap/list_match.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postkeep;
using namespace postkeep::imap;
using storage::Mailbox;

namespace {

enum class Is { there, subscribed, only_subscribed, level };

Mailbox mailbox(const std::string& name, Is is, SpecialUse use = SpecialUse::none) {
  Mailbox made;
  made.name = MailboxName::from_utf8(name).value();
  made.exists = is == Is::there || is == Is::subscribed;
  made.subscribed = is == Is::subscribed || is == Is::only_subscribed;
  made.special_use = use;
  return made;
}

std::vector<Mailbox> tree() {
  return {mailbox("Archive", Is::level),
          mailbox("Archive/2024", Is::subscribed),
          mailbox("Fruit", Is::there),
          mailbox("Fruit/Apple", Is::subscribed),
          mailbox("Fruit/Apple/Green", Is::there),
          mailbox("Gone/Deep", Is::only_subscribed),
          mailbox("INBOX", Is::subscribed),
          mailbox("Sent", Is::subscribed, SpecialUse::sent)};
}

// "name flags": ! does not exist, + has children, l level only, c CHILDINFO.
std::vector<std::string> listed(std::vector<std::string> patterns, ListQuery::Select select, bool recursive = false) {
  ListQuery query;
  query.patterns = std::move(patterns);
  query.select = select;
  query.recursive_match = recursive;
  std::vector<std::string> out;
  for (const ListMatch& match : match_mailboxes(tree(), query)) {
    std::string line = match.mailbox.name.utf8();
    if (!match.mailbox.exists) line += " !";
    if (match.has_children) line += " +";
    if (match.level_only) line += " l";
    if (match.child_info) line += " c";
    out.push_back(line);
  }
  return out;
}

using Names = std::vector<std::string>;
using Select = ListQuery::Select;

}  // namespace

TEST_CASE("LIST % gives one level, with levels that do not exist but have mailboxes below") {
  CHECK(listed({"%"}, Select::existing) == Names{"Archive ! +", "Fruit +", "INBOX", "Sent"});
}

TEST_CASE("LIST * gives everything that exists and the levels above") {
  CHECK(listed({"*"}, Select::existing) ==
        Names{"Archive ! +", "Archive/2024", "Fruit +", "Fruit/Apple +", "Fruit/Apple/Green", "INBOX", "Sent"});
}

TEST_CASE("a mailbox that several patterns match is listed once") {
  CHECK(listed({"Fr*", "%", "F%/%"}, Select::existing) ==
        Names{"Archive ! +", "Fruit +", "Fruit/Apple +", "Fruit/Apple/Green", "INBOX", "Sent"});
}

TEST_CASE("INBOX matches without regard to case") { CHECK(listed({"inbox"}, Select::existing) == Names{"INBOX"}); }

TEST_CASE("LIST (SUBSCRIBED) gives exactly what is subscribed, existing or not") {
  CHECK(listed({"*"}, Select::subscribed) == Names{"Archive/2024", "Fruit/Apple +", "Gone/Deep !", "INBOX", "Sent"});
  CHECK(listed({"%"}, Select::subscribed) == Names{"INBOX", "Sent"});
}

TEST_CASE("RECURSIVEMATCH adds parents of what is selected but not matched, and nothing redundant") {
  CHECK(listed({"%"}, Select::subscribed, true) ==
        Names{"Archive ! + l c", "Fruit + l c", "Gone ! l c", "INBOX", "Sent"});
  CHECK(listed({"*"}, Select::subscribed, true) ==
        Names{"Archive/2024", "Fruit/Apple +", "Gone/Deep !", "INBOX", "Sent"});
}

TEST_CASE("LSUB % gives levels above subscribed names as not selectable") {
  CHECK(listed({"%"}, Select::lsub) == Names{"Archive ! + l", "Fruit + l", "Gone ! l", "INBOX", "Sent"});
  CHECK(listed({"*"}, Select::lsub) == Names{"Archive/2024", "Fruit/Apple +", "Gone/Deep !", "INBOX", "Sent"});
}

TEST_CASE("LIST (SPECIAL-USE) gives only mailboxes with a use") {
  CHECK(listed({"*"}, Select::special_use) == Names{"Sent"});
}

TEST_CASE("a pattern is the reference and the name, decoded, with our separator") {
  using Encoding = MailboxName::Encoding;
  CHECK(canonical_pattern("a/", "%", Encoding::utf8, '/') == "a/%");
  CHECK(canonical_pattern("a.", "b.*", Encoding::utf8, '.') == "a/b/*");
  CHECK(canonical_pattern("", "Entw&APw-rfe*", Encoding::modified_utf7, '/') == "Entw\u00fcrfe*");
  CHECK(canonical_pattern("", "Entw&APw-rfe*", Encoding::utf8, '/') == "Entw&APw-rfe*");
  CHECK(canonical_pattern("", "bad&shift", Encoding::modified_utf7, '/') == "bad&shift");
}
