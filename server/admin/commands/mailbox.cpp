// mailbox list|create|delete|rename|status: the mailboxes of one user. Names are UTF-8, with the separator that
// clients see.
#include <algorithm>
#include <array>
#include <ostream>

#include "server/admin/commands/rows.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using storage::AccountStore;

Result<std::string> existing_user(Host& host, const Json& arguments) {
  const std::string name = TRY(text_argument(arguments, "user"));
  const std::optional<auth::User> user = TRY(host.users().find(name));
  if (!user) return failure(ErrorKind::not_found, "There is no user of that name");
  return user->name;
}

Result<MailboxName> mailbox_name(Host& host, const Json& arguments, std::string_view parameter) {
  const std::string name = TRY(text_argument(arguments, parameter));
  return MailboxName::from_wire(name, MailboxName::Encoding::utf8, host.settings().mailbox.separator);
}

Json describe(const storage::Mailbox& mailbox, char separator) {
  return {{"name", mailbox.name.to_wire(MailboxName::Encoding::utf8, separator)},
          {"exists", mailbox.exists},
          {"subscribed", mailbox.subscribed},
          {"special_use", to_wire(mailbox.special_use)}};
}

Result<Json> run_list(Host& host, const Json& arguments) {
  const std::string user = TRY(existing_user(host, arguments));
  const char separator = host.settings().mailbox.separator;
  return host.with_account(user, [separator](AccountStore& account) -> Result<Json> {
    Json list = Json::array();
    for (const storage::Mailbox& mailbox : TRY(account.list_mailboxes())) list.push_back(describe(mailbox, separator));
    return list;
  });
}

Result<Json> run_create(Host& host, const Json& arguments) {
  const std::string user = TRY(existing_user(host, arguments));
  const MailboxName name = TRY(mailbox_name(host, arguments, "mailbox"));
  const char separator = host.settings().mailbox.separator;
  return host.with_account(user, [name, separator](AccountStore& account) -> Result<Json> {
    const storage::Mailbox made = TRY(account.create_mailbox(name));
    return describe(made, separator);
  });
}

Result<Json> run_delete(Host& host, const Json& arguments) {
  const std::string user = TRY(existing_user(host, arguments));
  const MailboxName name = TRY(mailbox_name(host, arguments, "mailbox"));
  return host.with_account(user, [name](AccountStore& account) -> Result<Json> {
    TRY(account.delete_mailbox(name));
    return Json::object();
  });
}

Result<Json> run_rename(Host& host, const Json& arguments) {
  const std::string user = TRY(existing_user(host, arguments));
  const MailboxName from = TRY(mailbox_name(host, arguments, "from"));
  const MailboxName to = TRY(mailbox_name(host, arguments, "to"));
  return host.with_account(user, [from, to](AccountStore& account) -> Result<Json> {
    TRY(account.rename_mailbox(from, to));
    return Json::object();
  });
}

Result<Json> run_status(Host& host, const Json& arguments) {
  const std::string user = TRY(existing_user(host, arguments));
  const MailboxName name = TRY(mailbox_name(host, arguments, "mailbox"));
  const char separator = host.settings().mailbox.separator;
  return host.with_account(user, [name, separator](AccountStore& account) -> Result<Json> {
    const storage::Mailbox mailbox = TRY(account.find_mailbox(name));
    if (!mailbox.exists) return failure(ErrorKind::not_found, "There is no such mailbox");
    TRY(account.refresh(mailbox.id));
    const storage::MailboxStatus status = TRY(account.status(mailbox.id));
    Json result = describe(mailbox, separator);
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

void print_nothing(const Json&, std::ostream&) {}

void print_list(const Json& mailboxes, std::ostream& out) {
  for (const Json& mailbox : mailboxes) {
    out << mailbox["name"].get<std::string>();
    if (!mailbox["exists"].get<bool>()) out << "  (does not exist)";
    const auto use = mailbox["special_use"].get<std::string>();
    if (!use.empty()) out << "  " << use;
    if (!mailbox["subscribed"].get<bool>()) out << "  (not subscribed)";
    out << "\n";
  }
}

void print_status(const Json& status, std::ostream& out) {
  for (const auto& [key, value] : status.items()) {
    if (key == "exists" || value == "") continue;
    out << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  }
}

constexpr Parameter user_parameter = {Kind::positional, "user", "", "whose mailboxes"};
constexpr Parameter mailbox_parameter = {Kind::positional, "mailbox", "", "the mailbox"};

constexpr std::array just_user = {user_parameter};
constexpr std::array user_and_mailbox = {user_parameter, mailbox_parameter};
constexpr std::array rename_parameters = {user_parameter, Parameter{Kind::positional, "from", "", "the old name"},
                                          Parameter{Kind::positional, "to", "", "the new name"}};

constexpr std::array rows = {
    Command{"mailbox", "list", "Lists a user's mailboxes.", just_user, nullptr, nullptr, run_list, print_list},
    Command{"mailbox", "create", "Makes a mailbox and what is missing above it.", user_and_mailbox, nullptr, nullptr,
            run_create, print_nothing},
    Command{"mailbox", "delete", "Removes a mailbox with its messages; those below it stay.", user_and_mailbox, nullptr,
            nullptr, run_delete, print_nothing},
    Command{"mailbox", "rename", "Renames a mailbox with those below it.", rename_parameters, nullptr, nullptr,
            run_rename, print_nothing},
    Command{"mailbox", "status", "Counts the messages of a mailbox.", user_and_mailbox, nullptr, nullptr, run_status,
            print_status},
};

}  // namespace

std::span<const Command> mailbox_rows() { return rows; }

}  // namespace postkeep::admin
