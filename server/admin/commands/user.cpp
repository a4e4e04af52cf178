// user add|passwd|rename|delete|list|show|enable|disable: who may log in. A password is hashed in the near side, so
// that it never travels and the server does no work for it.
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <ostream>

#include "auth/password_hash.h"
#include "auth/user_name.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/commands/rows.h"
#include "server/admin/mail_totals.h"
#include "server/admin/near_side.h"
#include "server/admin/text_table.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;

Result<Secret> new_password(const Json& arguments, NearSide& near) {
  if (flag_argument(arguments, "password-stdin")) return read_password_line(near);
  const std::string name = TRY(text_argument(arguments, "name"));
  if (isatty(STDIN_FILENO) == 1) return ask_for_password(STDIN_FILENO, name);
  return failure(ErrorKind::bad_syntax, "Give --password-stdin or --hash where there is no terminal");
}

// Puts the verifiers into "verifiers" and takes all else that concerns the password out.
Outcome prepare_verifiers(Json& arguments, const Settings& settings, NearSide& near) {
  Json verifiers = Json::array();
  if (arguments.contains("hash")) {
    if (flag_argument(arguments, "password-stdin") || arguments.contains("scheme")) {
      return failure(ErrorKind::bad_syntax, "--hash goes with neither --password-stdin nor --scheme");
    }
    for (const Json& hash : arguments["hash"]) {
      const auth::Verifier verifier = TRY(auth::verifier_from_text(hash.get<std::string>()));
      verifiers.push_back(auth::to_text(verifier).reveal());
    }
  } else {
    std::optional<auth::Scheme> scheme;
    if (arguments.contains("scheme")) {
      const std::string name = TRY(text_argument(arguments, "scheme"));
      scheme = auth::scheme_from_string(name);
      if (!scheme)
        return failure(ErrorKind::bad_syntax, "There is no such scheme; choose one of " + auth::makeable_schemes());
    }
    const Secret password = TRY(new_password(arguments, near));
    for (const auth::Verifier& verifier : TRY(auth::make_verifiers(password, scheme, hash_cost(settings)))) {
      verifiers.push_back(auth::to_text(verifier).reveal());
    }
  }
  for (const char* used : {"hash", "scheme", "password-stdin"}) arguments.erase(used);
  arguments["verifiers"] = std::move(verifiers);
  return {};
}

// A bad name is told before a password is asked for.
Outcome prepare_add(Json& arguments, const Settings& settings, NearSide& near) {
  const std::string name = TRY(text_argument(arguments, "name"));
  TRY(auth::checked_user_name(name));
  return prepare_verifiers(arguments, settings, near);
}

Result<std::vector<auth::Verifier>> received_verifiers(const Json& arguments) {
  std::vector<auth::Verifier> verifiers;
  const auto found = arguments.find("verifiers");
  if (found == arguments.end() || !found->is_array() || found->empty()) {
    return failure(ErrorKind::bad_syntax, "The password is missing");
  }
  for (const Json& text : *found) {
    if (!text.is_string()) return failure(ErrorKind::bad_syntax, "The password is malformed");
    verifiers.push_back(TRY(auth::verifier_from_text(text.get<std::string>())));
  }
  return verifiers;
}

Json describe(const auth::User& user) {
  return {{"name", user.name}, {"enabled", user.enabled}, {"created", user.created}};
}

Result<Json> run_add(Host& host, const Json& arguments) {
  const std::string name = TRY(text_argument(arguments, "name"));
  const std::vector<auth::Verifier> verifiers = TRY(received_verifiers(arguments));
  auth::User user;
  user.name = TRY(auth::checked_user_name(name));
  user.created =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  TRY(host.users().add(user, verifiers));
  return describe(user);
}

Result<Json> run_passwd(Host& host, const Json& arguments) {
  const auth::User user = TRY(existing_user(host, arguments, "name"));
  const std::vector<auth::Verifier> verifiers = TRY(received_verifiers(arguments));
  TRY(host.users().set_verifiers(user.name, verifiers));
  return describe(user);
}

// {"imap": 1795714399}, seconds since 1970 by protocol.
void add_login(Json& to, const auth::LastLogin& login) { to[login.protocol] = login.time; }

Result<Json> run_user_rename(Host& host, const Json& arguments) {
  auth::User user = TRY(existing_user(host, arguments, "name"));
  const std::string wanted = TRY(text_argument(arguments, "new-name"));
  std::string to = TRY(auth::checked_user_name(wanted));
  if (to == user.name) return failure(ErrorKind::already_exists, user.name + " has that name already");
  const bool same_but_for_case = auth::user_key(to) == auth::user_key(user.name);
  if (!same_but_for_case && TRY(host.users().find(to))) {
    return failure(ErrorKind::already_exists, "There is already a user " + to + ". Choose another name, or see " +
                                                  "`postkeep user delete --help`.");
  }
  if (TRY(host.has_mail(to))) {
    return failure(ErrorKind::already_exists, "There is already mail under the name " + to + ", of a user who was " +
                                                  "deleted. Choose another name, or remove that mail first.");
  }
  TRY(host.rename_user(user.name, to));
  auth::LastLogins* logins = TRY(host.last_logins());
  TRY(logins->rename(user.name, to));
  Json result = {{"name", to}, {"old_name", user.name}};
  return result;
}

// What `user delete` would do.
Result<Json> foresee_delete(Host& host, const auth::User& user, bool with_mail) {
  Json result = describe(user);
  result["mail_removed"] = with_mail;
  result["dry_run"] = true;
  Json totals = MailTotals().to_json();
  if (TRY(host.has_mail(user.name))) {
    const auto count = [](storage::AccountStore& account) -> Result<Json> {
      return TRY(mail_totals(account)).to_json();
    };
    totals = TRY(host.with_account(user.name, count));
  }
  result["mail"] = std::move(totals);
  return result;
}

Result<Json> run_user_delete(Host& host, const Json& arguments) {
  const auth::User user = TRY(existing_user(host, arguments, "name"));
  if (flag_argument(arguments, "dry-run")) return foresee_delete(host, user, flag_argument(arguments, "with-mail"));
  TRY(host.users().remove(user.name));
  auth::LastLogins* logins = TRY(host.last_logins());
  TRY(logins->forget(user.name));
  host.end_sessions(user.name);
  Json result = describe(user);
  result["mail_removed"] = false;
  result["dry_run"] = false;
  if (flag_argument(arguments, "with-mail")) {
    const Outcome removed = host.remove_mail(user.name);
    if (!removed && removed.error().kind != ErrorKind::not_found) return tl::unexpected(removed.error());
    result["mail_removed"] = removed.has_value();
  }
  return result;
}

Result<Json> run_user_list(Host& host, const Json& arguments) {
  const bool names = flag_argument(arguments, "names");
  Json users = Json::array();
  for (const auth::User& user : TRY(host.users().list())) users.push_back(names ? Json(user.name) : describe(user));
  if (names || !flag_argument(arguments, "last-login")) return users;
  auth::LastLogins* known = TRY(host.last_logins());
  std::map<std::string, Json> logins;
  for (const auth::LastLogin& login : TRY(known->all())) {
    add_login(logins.try_emplace(login.user, Json::object()).first->second, login);
  }
  for (Json& user : users) {
    const auto found = logins.find(user["name"].get<std::string>());
    user["last_login"] = found == logins.end() ? Json::object() : found->second;
  }
  return users;
}

Result<Json> run_show(Host& host, const Json& arguments) {
  const auth::User user = TRY(existing_user(host, arguments, "name"));
  Json result = describe(user);
  result["schemes"] = Json::array();
  for (const auth::Verifier& verifier : TRY(host.users().verifiers(user.name))) {
    result["schemes"].push_back(to_string(verifier.scheme));
  }
  result["last_login"] = Json::object();
  auth::LastLogins* logins = TRY(host.last_logins());
  for (const auth::LastLogin& login : TRY(logins->of(user.name))) {
    add_login(result["last_login"], login);
  }
  return result;
}

Result<Json> set_enabled(Host& host, const Json& arguments, bool enabled) {
  auth::User user = TRY(existing_user(host, arguments, "name"));
  TRY(host.users().set_enabled(user.name, enabled));
  if (!enabled) host.end_sessions(user.name);
  user.enabled = enabled;
  return describe(user);
}
Result<Json> run_enable(Host& host, const Json& arguments) { return set_enabled(host, arguments, true); }
Result<Json> run_disable(Host& host, const Json& arguments) { return set_enabled(host, arguments, false); }

// "imap 2026-11-26 17:33:19 UTC, pop3 ..."
std::string shown_logins(const Json& logins) {
  std::string out;
  for (const auto& [protocol, time] : logins.items()) {
    out += (out.empty() ? "" : ", ") + protocol + " " + shown_time(time.get<std::int64_t>());
  }
  return out.empty() ? "never" : out;
}

void print_user_list(const Json& users, std::ostream& out) {
  for (const Json& user : users) {
    if (user.is_string()) {
      out << user.get<std::string>() << "\n";
      continue;
    }
    out << user["name"].get<std::string>() << (user["enabled"].get<bool>() ? "" : "  (disabled)");
    if (user.contains("last_login")) out << "  " << shown_logins(user["last_login"]);
    out << "\n";
  }
}

void print_user_delete(const Json& user, std::ostream& out) {
  if (!user["dry_run"].get<bool>()) return;
  const std::string mail = shown_totals(user["mail"]);
  out << "Would remove the user " << user["name"].get<std::string>();
  if (user["mail_removed"].get<bool>()) {
    out << " and all mail: " << mail << ".\n";
  } else {
    out << " and leave the mail: " << mail << ".\n";
  }
}

void print_user(const Json& user, std::ostream& out) {
  out << "name:     " << user["name"].get<std::string>()
      << "\nlogin:    " << (user["enabled"].get<bool>() ? "enabled" : "disabled");
  const auto created = user["created"].get<std::int64_t>();
  if (created != 0) out << "\ncreated:  " << shown_time(created);  // a passwd-file does not tell
  out << "\npassword:";
  for (const Json& scheme : user["schemes"]) out << " " << scheme.get<std::string>();
  out << "\nlast login: " << shown_logins(user["last_login"]) << "\n";
}

using Completes = Parameter::Completes;

constexpr Parameter name_parameter = {Kind::positional, "name", "", "the user: name or name@domain", 0,
                                      Completes::user};
constexpr Parameter stdin_parameter = {Kind::flag, "password-stdin", "", "read the password from standard input"};
constexpr Parameter scheme_parameter = {
    Kind::option,       "scheme",      "SCHEME", "keep the password in this one scheme alone; see pw schemes", 0,
    Completes::nothing, scheme_choices};
constexpr Parameter hash_parameter = {Kind::list, "hash", "{SCHEME}HASH",
                                      "a ready-made verifier instead of a password; may be given several times"};

constexpr std::array just_name = {name_parameter};
constexpr std::array with_password = {name_parameter, stdin_parameter, scheme_parameter, hash_parameter};
constexpr std::array user_rename_parameters = {
    name_parameter, Parameter{Kind::positional, "new-name", "", "what to be called from now on"}};
constexpr std::array delete_parameters = {
    name_parameter, Parameter{Kind::flag, "with-mail", "", "remove all the user's mail as well"},
    Parameter{Kind::flag, "dry-run", "", "say what would go, and change nothing"}};

constexpr std::string_view user_json = R"({"name": "alice", "enabled": true, "created": 1795714399})";

constexpr std::array user_list_parameters = {
    Parameter{Kind::flag, "names", "", "names alone"},
    Parameter{Kind::flag, "last-login", "", "tell when each logged in last, by protocol"}};

constexpr std::array user_commands = {
    Command{.noun = "user",
            .verb = "add",
            .help = "Adds a user. Without --password-stdin or --hash the password is asked for.",
            .parameters = with_password,
            .prepare = prepare_add,
            .run = run_add,
            .print = print_nothing,
            .json = user_json,
            .details = "    printf '%s\\n' \"$PASSWORD\" | postkeep user add alice --password-stdin"},
    Command{.noun = "user",
            .verb = "passwd",
            .help = "Sets a new password.",
            .parameters = with_password,
            .prepare = prepare_verifiers,
            .run = run_passwd,
            .print = print_nothing,
            .json = user_json},
    Command{.noun = "user",
            .verb = "rename",
            .help = "Gives a user and all the user's mail another name, and ends the user's sessions.",
            .parameters = user_rename_parameters,
            .run = run_user_rename,
            .print = print_nothing,
            .json = R"({"name": "alicia", "old_name": "alice"})",
            .details =
                "The password stays. Mail to the old name is refused from then on. It is all or nothing, also when "
                "the machine stops in between: the next start finishes what was begun."},
    Command{
        .noun = "user",
        .verb = "delete",
        .help = "Removes a user and ends the user's sessions; the mail stays.",
        .parameters = delete_parameters,
        .run = run_user_delete,
        .print = print_user_delete,
        .json =
            R"({"name": "alice", "enabled": true, "created": 1795714399, "mail_removed": false, "dry_run": true, "mail": {"mailboxes": 6, "messages": 812, "octets": 12910592}})",
        .details = "\"mail\" is there in a dry run alone."},
    Command{.noun = "user",
            .verb = "list",
            .help = "Lists all users.",
            .parameters = user_list_parameters,
            .run = run_user_list,
            .print = print_user_list,
            .json = R"([{"name": "alice", "enabled": true, "created": 1795714399}])",
            .details = "With --names: [\"alice\"]. With --last-login each has \"last_login\": {\"imap\": 1795714399}, "
                       "seconds since 1970."},
    Command{
        .noun = "user",
        .verb = "show",
        .help = "Shows one user.",
        .parameters = just_name,
        .run = run_show,
        .print = print_user,
        .json =
            R"({"name": "alice", "enabled": true, "created": 1795714399, "schemes": ["ARGON2ID", "SCRAM-SHA-256", "SCRAM-SHA-1"], "last_login": {"imap": 1795714399}})"},
    Command{.noun = "user",
            .verb = "enable",
            .help = "Lets a disabled user log in again.",
            .parameters = just_name,
            .run = run_enable,
            .print = print_nothing,
            .json = user_json},
    Command{.noun = "user",
            .verb = "disable",
            .help = "Refuses the user's logins and ends the sessions; mail is still taken in.",
            .parameters = just_name,
            .run = run_disable,
            .print = print_nothing,
            .json = user_json},
};

}  // namespace

std::span<const Command> user_rows() { return user_commands; }

}  // namespace postkeep::admin
