#include "server/admin/mail_change.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "protocol/base/ascii.h"
#include "server/admin/mail_batches.h"
#include "server/admin/mail_selection.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using storage::AccountStore;

struct ChangeCount {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
  std::uint64_t changed = 0;
};

// What is done to a batch of one mailbox, in one job on the account.
struct Change {
  std::string_view done;  // "moved", for people
  enum class Tells { octets, changed, neither };
  Tells tells = Tells::octets;
  std::optional<MailboxName> target;
  std::function<Result<ChangeCount>(AccountStore& account, const MailSource& source, const UidSet& batch)> apply;
};

Result<ChangeCount> only_count(AccountStore& account, const MailSource& source, const UidSet& batch) {
  const MessageCount count = TRY(count_messages(account, source.mailbox.id, batch));
  return ChangeCount{count.messages, count.octets, 0};
}

void put(Json& json, const Change& change, const ChangeCount& count) {
  json["messages"] = count.messages;
  if (change.tells == Change::Tells::octets) json["octets"] = count.octets;
  if (change.tells == Change::Tells::changed) json["changed"] = count.changed;
}

Result<ChangeCount> change_mailbox(Host& host, const MailSelection& selection, const MailSource& source,
                                   const Change& change, Exchange& exchange) {
  const UidSet uids = TRY(selection.find(host, source, exchange));
  ChangeCount total;
  Progress progress{0, uids.size(), "messages", source.name};
  const auto one_batch = [&](const UidSet& batch) -> Outcome {
    TRY(exchange.check());
    exchange.progress(progress);
    const auto apply = [&](AccountStore& account) { return change.apply(account, source, batch); };
    const ChangeCount count = TRY(in_account<ChangeCount>(host, selection.user(), apply));
    total.messages += count.messages;
    total.octets += count.octets;
    total.changed += count.changed;
    progress.done += batch.size();
    return {};
  };
  TRY(for_each_batch(uids, one_batch));
  return total;
}

Result<Json> change_mail(Host& host, const Json& arguments, const MailSelection& selection, Change change,
                         Exchange& exchange) {
  const bool dry_run = flag_argument(arguments, "dry-run");
  if (dry_run) change.apply = only_count;
  if (dry_run && change.tells == Change::Tells::changed) change.tells = Change::Tells::neither;
  ChangeCount total;
  Json mailboxes = Json::array();
  for (const MailboxName& name : selection.names()) {
    if (selection.all_mailboxes() && change.target == name) continue;
    const MailSource source = TRY(selection.open(host, name));
    const ChangeCount count = TRY(change_mailbox(host, selection, source, change, exchange));
    if (count.messages != 0) {
      Json row = {{"mailbox", source.name}};
      put(row, change, count);
      mailboxes.push_back(std::move(row));
    }
    total.messages += count.messages;
    total.octets += count.octets;
    total.changed += count.changed;
  }
  Json result = {{"done", change.done}, {"dry_run", dry_run}};
  put(result, change, total);
  result["mailboxes"] = std::move(mailboxes);
  if (change.target) result["target"] = shown_name(*change.target, selection.finder().separator);
  return result;
}

// The target of a copy or move. In a dry run one that would be made is left alone, and nothing is returned.
Result<std::optional<MailboxId>> find_target(Host& host, const Json& arguments, const MailSelection& selection,
                                             const MailboxName& name) {
  const bool create = flag_argument(arguments, "create"), dry_run = flag_argument(arguments, "dry-run");
  using Target = std::optional<MailboxId>;
  const auto find = [&](AccountStore& account) -> Result<Target> {
    const Result<storage::Mailbox> found = account.find_mailbox(name);
    if (found && found->exists) return Target(found->id);
    if (create && dry_run) return Target();
    if (create) return Target(TRY(account.create_mailbox(name)).id);
    Result<storage::Mailbox> missing = selection.finder().find(account, name);
    if (missing) return Target(missing->id);
    Error error = std::move(missing).error();
    if (error.kind == ErrorKind::not_found) error.text += " With --create it is made.";
    return tl::unexpected(std::move(error));
  };
  return in_account<Target>(host, selection.user(), find);
}

enum class Transfer { copy, move };

Result<Json> transfer(Host& host, const Json& arguments, Exchange& exchange, Transfer kind) {
  if (!arguments.contains("target")) {
    return failure(ErrorKind::bad_syntax, "Give a query and behind it the target, for example: unseen Archive");
  }
  const MailboxName name = TRY(mailbox_argument(host, arguments, "target"));
  const MailSelection selection = TRY(MailSelection::read(host, arguments));
  const std::optional<MailboxId> target = TRY(find_target(host, arguments, selection, name));
  Change change;
  change.done = kind == Transfer::copy ? "copied" : "moved";
  change.target = name;
  change.apply = [&](AccountStore& account, const MailSource& source, const UidSet& batch) -> Result<ChangeCount> {
    if (kind == Transfer::move && source.mailbox.id == *target) {
      return failure(ErrorKind::cannot, "The messages are in " + source.name + " already. Name another target.");
    }
    const MessageCount before = TRY(count_messages(account, source.mailbox.id, batch));
    const storage::CopyResult moved = TRY(kind == Transfer::copy ? account.copy(source.mailbox.id, batch, *target)
                                                                 : account.move(source.mailbox.id, batch, *target));
    return ChangeCount{moved.source.size(), before.octets, 0};
  };
  return change_mail(host, arguments, selection, std::move(change), exchange);
}

constexpr std::array<std::string_view, 5> system_flags = {"answered", "flagged", "deleted", "seen", "draft"};

}  // namespace

Result<Flags> flags_from_words(const std::vector<std::string>& words) {
  Flags flags;
  for (const std::string& word : words) {
    for (std::string_view rest = word; !rest.empty();) {
      const std::size_t space = std::min(rest.find(' '), rest.size());
      std::string flag(rest.substr(0, space));
      rest.remove_prefix(std::min(space + 1, rest.size()));
      if (flag.empty()) continue;
      if (std::ranges::find(system_flags, ascii::to_lower(flag)) != system_flags.end()) flag = "\\" + flag;
      if (!flags.add_from_wire(flag)) {
        return failure(
            ErrorKind::bad_syntax,
            flag + " is no flag. Flags are seen, answered, flagged, deleted, draft, and " + "keywords like $Junk.");
      }
    }
  }
  return flags;
}

namespace {

Result<Flags> flags_argument(const Json& arguments, std::string_view name) {
  const std::vector<std::string> words = TRY(texts_argument(arguments, name));
  return flags_from_words(words);
}

}  // namespace

Result<Json> stream_flags(Host& host, const Json& arguments, Exchange& exchange) {
  const MailSelection selection = TRY(MailSelection::read(host, arguments));
  const bool replace = arguments.contains("set");
  if (replace && (arguments.contains("add") || arguments.contains("remove"))) {
    return failure(ErrorKind::bad_syntax, "--set replaces all flags; give it alone");
  }
  const Flags set = TRY(flags_argument(arguments, "set"));
  const Flags add = TRY(flags_argument(arguments, "add"));
  const Flags remove = TRY(flags_argument(arguments, "remove"));
  if (!replace && add.empty() && remove.empty()) {
    return failure(ErrorKind::bad_syntax, "Say what to change: --add, --remove or --set, for example --add seen");
  }
  Change change;
  change.done = "flagged";
  change.tells = Change::Tells::changed;
  change.apply = [&](AccountStore& account, const MailSource& source, const UidSet& batch) -> Result<ChangeCount> {
    const MailboxId mailbox = source.mailbox.id;
    UidSet changed;
    if (replace) changed.add_all(TRY(account.store_flags(mailbox, batch, FlagChange::replace, set)).changed);
    if (!add.empty()) changed.add_all(TRY(account.store_flags(mailbox, batch, FlagChange::add, add)).changed);
    if (!remove.empty()) changed.add_all(TRY(account.store_flags(mailbox, batch, FlagChange::remove, remove)).changed);
    return ChangeCount{batch.size(), 0, changed.size()};
  };
  return change_mail(host, arguments, selection, std::move(change), exchange);
}

Result<Json> stream_copy(Host& host, const Json& arguments, Exchange& exchange) {
  return transfer(host, arguments, exchange, Transfer::copy);
}

Result<Json> stream_move(Host& host, const Json& arguments, Exchange& exchange) {
  return transfer(host, arguments, exchange, Transfer::move);
}

Result<Json> stream_expunge(Host& host, const Json& arguments, Exchange& exchange) {
  const MailSelection selection = TRY(MailSelection::read(host, arguments));
  Change change;
  change.done = "removed";
  change.apply = [](AccountStore& account, const MailSource& source, const UidSet& batch) -> Result<ChangeCount> {
    const MessageCount count = TRY(remove_messages(account, source.mailbox.id, batch));
    return ChangeCount{count.messages, count.octets, 0};
  };
  return change_mail(host, arguments, selection, std::move(change), exchange);
}

}  // namespace postkeep::admin
