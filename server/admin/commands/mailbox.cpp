// mailbox list|create|delete|rename|status|subscribe|unsubscribe|special-use|empty: the mailboxes of one user. Names
// are UTF-8, with the separator that clients see.
#include <algorithm>
#include <array>
#include <ostream>

#include "protocol/base/ascii.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/commands/rows.h"
#include "server/admin/mail_batches.h"
#include "server/admin/mail_totals.h"
#include "server/admin/text_table.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using storage::AccountStore;

Json describe(const storage::Mailbox& mailbox, char separator) {
  return {{"name", shown_name(mailbox.name, separator)},
          {"exists", mailbox.exists},
          {"subscribed", mailbox.subscribed},
          {"special_use", to_wire(mailbox.special_use)}};
}

// The user and the mailbox that a command is about.
struct Subject {
  MailboxFinder finder;
  MailboxName name;

  static Result<Subject> of(Host& host, const Json& arguments, std::string_view parameter = "mailbox") {
    auth::User user = TRY(existing_user(host, arguments));
    MailboxName name = TRY(mailbox_argument(host, arguments, parameter));
    Subject subject{{std::move(user.name), host.settings().mailbox.separator}, std::move(name)};
    return subject;
  }
  Result<storage::Mailbox> find(AccountStore& account) const { return finder.find(account, name); }
  Json describe(AccountStore& account) const {
    const Result<storage::Mailbox> now = account.find_mailbox(name);
    return now ? admin::describe(*now, finder.separator) : Json::object();
  }
  std::string shown() const { return shown_name(name, finder.separator); }
};

Result<Json> run_mailbox_list(Host& host, const Json& arguments) {
  const auth::User user = TRY(existing_user(host, arguments));
  const char separator = host.settings().mailbox.separator;
  const bool names = flag_argument(arguments, "names");
  return host.with_account(user.name, [separator, names](AccountStore& account) -> Result<Json> {
    Json list = Json::array();
    for (const storage::Mailbox& mailbox : TRY(account.list_mailboxes())) {
      if (names && !mailbox.exists) continue;
      Json row = describe(mailbox, separator);
      list.push_back(names ? std::move(row["name"]) : std::move(row));
    }
    return list;
  });
}

Result<Json> run_create(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  return host.with_account(subject.finder.user, [&subject](AccountStore& account) -> Result<Json> {
    const storage::Mailbox made = TRY(account.create_mailbox(subject.name));
    return describe(made, subject.finder.separator);
  });
}

Result<Json> run_mailbox_delete(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  const bool dry_run = flag_argument(arguments, "dry-run");
  return host.with_account(subject.finder.user, [&subject, dry_run](AccountStore& account) -> Result<Json> {
    const storage::Mailbox mailbox = TRY(subject.find(account));
    const storage::MailboxStatus status = TRY(account.status(mailbox.id));
    if (mailbox.name.is_inbox()) return failure(ErrorKind::cannot, "INBOX stays; `postkeep mailbox empty` empties it");
    if (!dry_run) TRY(account.delete_mailbox(subject.name));
    Json result = {{"name", subject.shown()}, {"messages", status.messages}};
    result["octets"] = status.size;
    result["dry_run"] = dry_run;
    return result;
  });
}

Result<Json> run_mailbox_rename(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments, "from"));
  const MailboxName to = TRY(mailbox_argument(host, arguments, "to"));
  return host.with_account(subject.finder.user, [&subject, &to](AccountStore& account) -> Result<Json> {
    const Result<storage::Mailbox> from = account.find_mailbox(subject.name);
    if (!from) TRY(subject.find(account));  // for its error
    TRY(account.rename_mailbox(subject.name, to));
    return describe(TRY(account.find_mailbox(to)), subject.finder.separator);
  });
}

Result<Json> run_mailbox_status(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  return host.with_account(subject.finder.user, [&subject](AccountStore& account) -> Result<Json> {
    const storage::Mailbox mailbox = TRY(subject.find(account));
    const storage::MailboxStatus status = TRY(account.status(mailbox.id));
    Json result = describe(mailbox, subject.finder.separator);
    result["mailbox_id"] = to_wire(mailbox.id);
    result["messages"] = status.messages;
    result["unseen"] = status.unseen;
    result["deleted"] = status.deleted;
    result["size"] = status.size;
    result["uid_next"] = status.uid_next.value();
    result["uid_validity"] = status.uid_validity.value();
    result["highest_modseq"] = status.highest_modseq.value();
    return result;
  });
}

Result<Json> run_subscribe(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  return host.with_account(subject.finder.user, [&subject](AccountStore& account) -> Result<Json> {
    TRY(subject.find(account));  // clients may subscribe to what does not exist; here it is a slip
    TRY(account.subscribe(subject.name));
    return subject.describe(account);
  });
}

Result<Json> run_unsubscribe(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  return host.with_account(subject.finder.user, [&subject](AccountStore& account) -> Result<Json> {
    const std::vector<storage::Mailbox> all = TRY(account.list_mailboxes());
    const auto row = std::ranges::find(all, subject.name, &storage::Mailbox::name);
    if (row == all.end()) TRY(subject.find(account));
    TRY(account.unsubscribe(subject.name));
    Json result = row == all.end() ? Json::object() : describe(*row, subject.finder.separator);
    result["subscribed"] = false;
    return result;
  });
}

// "sent", "\Sent" or "none".
Result<SpecialUse> special_use_argument(const std::string& text) {
  if (ascii::iequals(text, "none")) return SpecialUse::none;
  const std::string wire = text.starts_with('\\') ? text : "\\" + text;
  const std::optional<SpecialUse> use = special_use_from_wire(wire);
  if (!use) {
    return failure(ErrorKind::bad_syntax, text + " is no special use; give archive, drafts, junk, sent, trash or none");
  }
  return *use;
}

Result<Json> run_special_use(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  std::optional<SpecialUse> use;
  if (arguments.contains("use")) {
    const std::string text = TRY(text_argument(arguments, "use"));
    use = TRY(special_use_argument(text));
  }
  return host.with_account(subject.finder.user, [&subject, use](AccountStore& account) -> Result<Json> {
    TRY(subject.find(account));
    if (use) TRY(account.set_special_use(subject.name, *use));
    return subject.describe(account);
  });
}

Result<Json> run_empty(Host& host, const Json& arguments) {
  const Subject subject = TRY(Subject::of(host, arguments));
  const bool dry_run = flag_argument(arguments, "dry-run");
  const std::string& user = subject.finder.user;
  const auto find = [&subject](AccountStore& account) { return subject.find(account); };
  const storage::Mailbox mailbox = TRY(in_account<storage::Mailbox>(host, user, find));
  const auto remove = [&](AccountStore& account, const UidSet& batch) {
    return dry_run ? count_messages(account, mailbox.id, batch) : remove_messages(account, mailbox.id, batch);
  };
  // What is there now; what comes in meanwhile stays.
  const auto all_uids = [&mailbox](AccountStore& account) -> Result<UidSet> {
    return TRY(account.version(mailbox.id))->all_uids();
  };
  const UidSet uids = TRY(in_account<UidSet>(host, user, all_uids));
  MessageCount total;
  const auto one_batch = [&](const UidSet& batch) -> Outcome {
    const auto job = [&](AccountStore& account) { return remove(account, batch); };
    const MessageCount count = TRY(in_account<MessageCount>(host, user, job));
    total.messages += count.messages;
    total.octets += count.octets;
    return {};
  };
  TRY(for_each_batch(uids, one_batch));
  Json result = {{"name", subject.shown()}, {"messages", total.messages}};
  result["octets"] = total.octets;
  result["dry_run"] = dry_run;
  return result;
}

void print_mailbox_list(const Json& mailboxes, std::ostream& out) {
  using Align = TextTable::Align;
  TextTable table({Align::left, Align::left, Align::left});
  for (const Json& mailbox : mailboxes) {
    if (mailbox.is_string()) {
      out << mailbox.get<std::string>() << "\n";
      continue;
    }
    std::string remarks;
    if (!mailbox["exists"].get<bool>()) remarks = "(does not exist)";
    if (!mailbox["subscribed"].get<bool>()) remarks += remarks.empty() ? "(not subscribed)" : " (not subscribed)";
    table.add({mailbox["name"].get<std::string>(), mailbox["special_use"].get<std::string>(), remarks});
  }
  table.print(out);
}

void print_mailbox_status(const Json& status, std::ostream& out) {
  for (const auto& [key, value] : status.items()) {
    if (key == "exists" || value == "") continue;
    out << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  }
}

void print_special_use(const Json& mailbox, std::ostream& out) {
  const auto use = mailbox["special_use"].get<std::string>();
  out << (use.empty() ? "none" : use) << "\n";
}

void print_mailbox_delete(const Json& result, std::ostream& out) {
  if (!result["dry_run"].get<bool>()) return;
  out << "Would remove " << result["name"].get<std::string>() << ": " << shown_totals(result) << ".\n";
}

void print_empty(const Json& result, std::ostream& out) {
  out << (result["dry_run"].get<bool>() ? "Would remove " : "Removed ") << shown_totals(result) << " from "
      << result["name"].get<std::string>() << ".\n";
}

using Completes = Parameter::Completes;

constexpr Parameter owner_parameter = {Kind::positional, "user", "", "whose mailboxes", 0, Completes::user};
constexpr Parameter one_mailbox_parameter = {Kind::positional, "mailbox", "", "the mailbox", 0, Completes::mailbox};
constexpr Parameter dry_destroy_parameter = {Kind::flag, "dry-run", "", "say what would go, and change nothing"};

constexpr std::array mailbox_list_parameters = {owner_parameter, Parameter{Kind::flag, "names", "", "names alone"}};
constexpr std::array mailbox_create_parameters = {owner_parameter,
                                                  Parameter{Kind::positional, "mailbox", "", "the new mailbox"}};
constexpr std::array user_and_mailbox = {owner_parameter, one_mailbox_parameter};
constexpr std::array destroy_parameters = {owner_parameter, one_mailbox_parameter, dry_destroy_parameter};
constexpr std::array mailbox_rename_parameters = {
    owner_parameter, Parameter{Kind::positional, "from", "", "the old name", 0, Completes::mailbox},
    Parameter{Kind::positional, "to", "", "the new name"}};
constexpr std::array special_use_parameters = {
    owner_parameter, one_mailbox_parameter,
    Parameter{Kind::optional_positional, "use", "",
              "archive, drafts, junk, sent, trash, or none; without it the use is shown", 0, Completes::nothing,
              "archive drafts junk sent trash none"}};

constexpr std::string_view mailbox_json =
    R"({"name": "Sent", "exists": true, "subscribed": true, "special_use": "\\Sent"})";
constexpr std::string_view gone_json = R"({"name": "Old", "messages": 12, "octets": 48211, "dry_run": true})";

constexpr std::array mailbox_commands = {
    Command{.noun = "mailbox",
            .verb = "list",
            .help = "Lists a user's mailboxes.",
            .parameters = mailbox_list_parameters,
            .run = run_mailbox_list,
            .print = print_mailbox_list,
            .json = R"([{"name": "Sent", "exists": true, "subscribed": true, "special_use": "\\Sent"}])",
            .details =
                "A name that only has mailboxes below it does not exist itself. With --names: [\"INBOX\", \"Sent\"]."},
    Command{.noun = "mailbox",
            .verb = "create",
            .help = "Makes a mailbox and what is missing above it.",
            .parameters = mailbox_create_parameters,
            .run = run_create,
            .print = print_nothing,
            .json = mailbox_json},
    Command{.noun = "mailbox",
            .verb = "delete",
            .help = "Removes a mailbox with its messages; those below it stay.",
            .parameters = destroy_parameters,
            .run = run_mailbox_delete,
            .print = print_mailbox_delete,
            .json = gone_json},
    Command{.noun = "mailbox",
            .verb = "rename",
            .help = "Renames a mailbox with those below it.",
            .parameters = mailbox_rename_parameters,
            .run = run_mailbox_rename,
            .print = print_nothing,
            .json = mailbox_json},
    Command{
        .noun = "mailbox",
        .verb = "status",
        .help = "Counts the messages of a mailbox.",
        .parameters = user_and_mailbox,
        .run = run_mailbox_status,
        .print = print_mailbox_status,
        .json =
            R"({"name": "INBOX", "exists": true, "subscribed": false, "special_use": "", "mailbox_id": "F65550000-1", "messages": 812, "unseen": 3, "deleted": 0, "size": 12910592, "uid_next": 1013, "uid_validity": 1700000000, "highest_modseq": 4711})"},
    Command{.noun = "mailbox",
            .verb = "subscribe",
            .help = "Subscribes a user to a mailbox, so that mail programs show it.",
            .parameters = user_and_mailbox,
            .run = run_subscribe,
            .print = print_nothing,
            .json = mailbox_json},
    Command{.noun = "mailbox",
            .verb = "unsubscribe",
            .help = "Ends a subscription; the mailbox stays.",
            .parameters = user_and_mailbox,
            .run = run_unsubscribe,
            .print = print_nothing,
            .json = mailbox_json,
            .details = "Also of a mailbox that was deleted."},
    Command{.noun = "mailbox",
            .verb = "special-use",
            .help = "Says what a mailbox is for, so that mail programs find it; without USE shows it.",
            .parameters = special_use_parameters,
            .run = run_special_use,
            .print = print_special_use,
            .json = mailbox_json,
            .details = "    postkeep mailbox special-use alice \"Sent Items\" sent"},
    Command{.noun = "mailbox",
            .verb = "empty",
            .help = "Removes all messages of a mailbox and keeps the mailbox.",
            .parameters = destroy_parameters,
            .run = run_empty,
            .print = print_empty,
            .json = gone_json,
            .details = "Messages go in batches, so that the user can go on working. What comes in meanwhile stays."},
};

}  // namespace

std::span<const Command> mailbox_rows() { return mailbox_commands; }

}  // namespace postkeep::admin
