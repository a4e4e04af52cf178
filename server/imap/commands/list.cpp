// LIST and LSUB. RFC 9051 §6.3.9, RFC 5258, RFC 5819 (STATUS), RFC 6154 (SPECIAL-USE); RFC 3501 §6.3.9 (LSUB). Which
// mailboxes match stands in server/imap/list_match.
#include "protocol/imap/responses/list.h"

#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/status.h"
#include "server/imap/list_match.h"

namespace postkeep::imap {

namespace {

ListQuery query_of(const Context& context, const ListArgs& arguments) {
  ListQuery query;
  for (const std::string& pattern : arguments.patterns) {
    if (pattern.empty()) continue;  // ignored in the extended form (RFC 9051 §6.3.9)
    query.patterns.push_back(
        canonical_pattern(arguments.reference, pattern, context.name_encoding(), context.settings().mailbox.separator));
  }
  query.recursive_match = arguments.select.recursive_match;
  if (arguments.select.subscribed) {
    query.select =
        arguments.select.special_use ? ListQuery::Select::subscribed_special_use : ListQuery::Select::subscribed;
  } else if (arguments.select.special_use) {
    query.select = ListQuery::Select::special_use;
  }
  return query;
}

bool is_basic(const ListArgs& arguments) { return arguments.form == ListArgs::Form::basic; }

std::vector<std::string> attributes_of(const Context& context, const ListArgs& arguments, const ListMatch& match) {
  std::vector<std::string> attributes;
  if (!match.mailbox.exists) {
    // Basic LIST of IMAP4rev1 knows \Noselect only; \NonExistent implies it elsewhere (RFC 9051 §6.3.9.4).
    attributes.emplace_back(is_basic(arguments) && !context.is_rev2() ? "\\Noselect" : "\\NonExistent");
  }
  if (match.mailbox.subscribed && !seeded(Fault::subscribed_missing) &&
      (arguments.returns.subscribed || arguments.select.subscribed)) {
    attributes.emplace_back("\\Subscribed");
  }
  if (!seeded(Fault::children_missing)) {
    attributes.emplace_back(match.has_children ? "\\HasChildren" : "\\HasNoChildren");
  }
  if (match.mailbox.special_use != SpecialUse::none) attributes.emplace_back(to_wire(match.mailbox.special_use));
  return attributes;
}

std::vector<std::string> child_info_of(const ListArgs& arguments, const ListMatch& match) {
  std::vector<std::string> criteria;
  if (!match.child_info && !seeded(Fault::child_info_always)) return criteria;
  if (arguments.select.subscribed) criteria.emplace_back("SUBSCRIBED");
  if (arguments.select.special_use) criteria.emplace_back("SPECIAL-USE");
  return criteria;
}

void write_match(Context& context, const ListMatch& match, ListData data) {
  data.separator = context.settings().mailbox.separator;
  data.mailbox = context.wire_name(match.mailbox.name);
  Writer out = context.out();
  write_list(out, data);
}

// LIST "" "": the separator and the root, which is empty here.
void write_separator(Context& context, ListData::Verb verb) {
  ListData data;
  data.verb = verb;
  data.attributes.emplace_back("\\Noselect");
  data.separator = context.settings().mailbox.separator;
  Writer out = context.out();
  write_list(out, data);
}

server::Awaitable<Result<std::vector<ListMatch>>> find_matches(Context& context, ListQuery query) {
  auto all = co_await context.gateway().list_mailboxes(context.account);
  if (!all) co_return tl::unexpected<Error>(std::move(all).error());
  co_return match_mailboxes(std::move(*all), query);
}

}  // namespace

Answer run_list(Context& context, ListArgs arguments) {
  accept_status_items(context, arguments.returns.status);
  if (is_basic(arguments) && arguments.patterns.front().empty()) {
    write_separator(context, ListData::Verb::list);
    co_return Completion("Separator told");
  }
  auto outcome = co_await find_matches(context, query_of(context, arguments));
  const std::vector<ListMatch> matches = CO_TRY(std::move(outcome));
  for (const ListMatch& match : matches) {
    ListData data;
    data.attributes = attributes_of(context, arguments, match);
    data.child_info = child_info_of(arguments, match);
    // What was not selected itself has no STATUS (RFC 5819 §3, second example).
    const bool selectable = match.mailbox.exists && !match.level_only;
    if (arguments.returns.status.empty() || seeded(Fault::no_status_in_list) || !selectable) {
      write_match(context, match, std::move(data));
    } else {
      const auto status = co_await load_status(context, match.mailbox.id, arguments.returns.status);
      // Deleted meanwhile: the LIST response must say so (RFC 9051 §6.3.9.2).
      if (!status) data.attributes.emplace_back("\\NoSelect");
      write_match(context, match, std::move(data));
      if (status) write_mailbox_status(context, match.mailbox, *status, arguments.returns.status);
    }
    co_await context.flush_if_large();
  }
  co_return Completion("Mailboxes listed");
}

Answer run_lsub(Context& context, ListArgs arguments) {
  if (arguments.patterns.front().empty()) {
    write_separator(context, ListData::Verb::lsub);
    co_return Completion("Separator told");
  }
  ListQuery query = query_of(context, arguments);
  query.select = ListQuery::Select::lsub;
  auto outcome = co_await find_matches(context, std::move(query));
  const std::vector<ListMatch> matches = CO_TRY(std::move(outcome));
  for (const ListMatch& match : matches) {
    ListData data;
    data.verb = ListData::Verb::lsub;
    if (match.level_only) data.attributes.emplace_back("\\Noselect");
    write_match(context, match, std::move(data));
    co_await context.flush_if_large();
  }
  co_return Completion("Subscriptions listed");
}

}  // namespace postkeep::imap
