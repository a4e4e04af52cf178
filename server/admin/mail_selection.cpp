#include "server/admin/mail_selection.h"

#include <algorithm>

#include "server/admin/mail_batches.h"
#include "server/admin/mail_query.h"
#include "server/imap/search_plan.h"

namespace postkeep::admin {

namespace {

using storage::AccountStore;

Result<std::vector<MailboxName>> existing_names(Host& host, const std::string& user) {
  using Names = std::vector<MailboxName>;
  const auto list = [](AccountStore& account) -> Result<Names> {
    Names names;
    for (storage::Mailbox& mailbox : TRY(account.list_mailboxes())) {
      if (mailbox.exists) names.push_back(std::move(mailbox.name));
    }
    return names;
  };
  return in_account<Names>(host, user, list);
}

}  // namespace

Result<MailSelection> MailSelection::read(Host& host, const nlohmann::json& arguments) {
  auth::User user = TRY(existing_user(host, arguments));
  const std::vector<std::string> words = TRY(texts_argument(arguments, "query"));
  if (words.empty()) return failure(ErrorKind::bad_syntax, "The query is missing; `all` means every message");
  SearchKey key = TRY(parse_query(join_query(words)));
  MailSelection selection(MailboxFinder{std::move(user.name), host.settings().mailbox.separator}, std::move(key));
  const std::vector<std::string> mailboxes = TRY(texts_argument(arguments, "mailbox"));
  selection.all_ = flag_argument(arguments, "all-mailboxes");
  if (selection.all_ && !mailboxes.empty()) {
    return failure(ErrorKind::bad_syntax, "Give --mailbox or --all-mailboxes, not both");
  }
  for (const std::string& mailbox : mailboxes) {
    MailboxName name = TRY(MailboxName::from_wire(mailbox, MailboxName::Encoding::utf8, selection.finder_.separator));
    if (std::ranges::find(selection.names_, name) == selection.names_.end()) {
      selection.names_.push_back(std::move(name));
    }
  }
  if (selection.all_) selection.names_ = TRY(existing_names(host, selection.user()));
  if (selection.names_.empty()) selection.names_.push_back(MailboxName::inbox());
  return selection;
}

Result<MailSource> MailSelection::open(Host& host, const MailboxName& name) const {
  const auto find = [&](AccountStore& account) { return finder_.find(account, name); };
  storage::Mailbox mailbox = TRY(in_account<storage::Mailbox>(host, user(), find));
  return MailSource{std::move(mailbox), shown_name(name, finder_.separator)};
}

Result<UidSet> MailSelection::find(Host& host, const MailSource& source, Exchange& exchange) const {
  const MailboxId mailbox = source.mailbox.id;
  const auto current = [mailbox](AccountStore& account) { return account.version(mailbox); };
  const storage::MailboxVersionPtr version = TRY(in_account<storage::MailboxVersionPtr>(host, user(), current));
  const imap::MailboxView view(version, Uid());
  const imap::SearchPlan plan = imap::plan_search(key_, view, UidSet());
  if (!plan.residue) return plan.candidates;
  UidSet found;
  Progress progress{0, plan.candidates.size(), "messages", "searching " + source.name};
  const auto one_batch = [&](const UidSet& batch) -> Outcome {
    TRY(exchange.check());
    exchange.progress(progress);
    const auto search = [&](AccountStore& account) { return account.search(mailbox, *plan.residue, batch); };
    found.add_all(TRY(in_account<UidSet>(host, user(), search)));
    progress.done += batch.size();
    return {};
  };
  TRY(for_each_batch(plan.candidates, one_batch));
  return found;
}

}  // namespace postkeep::admin
