// who, kick, reload, log level, status: of a running server alone. Without one they say so.
#include <algorithm>
#include <array>
#include <ostream>

#include "server/admin/commands/rows.h"
#include "server/admin/live_server.h"
#include "server/admin/progress_bar.h"
#include "server/admin/text_table.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using server::SessionFacts;

Result<LiveServer*> running(Host& host) {
  if (LiveServer* server = host.live()) return server;
  return failure(ErrorKind::unavailable, "No server runs on this data; start one with `postkeep serve`");
}

std::int64_t unix_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Json describe(const SessionFacts& session) {
  return {{"session", session.id},
          {"protocol", session.protocol},
          {"user", session.user},
          {"address", session.address},
          {"tls", session.tls},
          {"since", unix_seconds(session.since)},
          {"idle", std::chrono::duration_cast<std::chrono::seconds>(session.idle).count()}};
}

// As the directory writes it, if it knows the name; the sessions of a user who was removed may still be there.
Result<std::string> user_name(Host& host, const std::string& name) {
  const std::optional<auth::User> user = TRY(host.users().find(name));
  return user ? user->name : name;
}

Result<Json> run_who(Host& host, const Json& arguments) {
  LiveServer* server = TRY(running(host));
  std::optional<std::string> user;
  if (const auto named = text_argument(arguments, "user")) user = TRY(user_name(host, *named));
  Json sessions = Json::array();
  for (const SessionFacts& session : server->sessions()) {
    if (!user || session.user == *user) sessions.push_back(describe(session));
  }
  return sessions;
}

Result<Json> run_kick(Host& host, const Json& arguments) {
  LiveServer* server = TRY(running(host));
  const auto named = text_argument(arguments, "user"), session = text_argument(arguments, "session"),
             address = text_argument(arguments, "address");
  if (int(named.has_value()) + int(session.has_value()) + int(address.has_value()) != 1) {
    return failure(ErrorKind::bad_syntax, "Say whom: USER, --session ID or --address IP (postkeep who lists them)");
  }
  std::string wanted = session ? *session : address.value_or("");
  if (named) wanted = TRY(user_name(host, *named));
  const std::size_t ended = server->end_sessions_if([&](const SessionFacts& one) {
    return wanted == (named ? one.user : session ? one.id : one.address);
  });
  if (ended == 0) return failure(ErrorKind::not_found, "There is no such session; postkeep who lists them");
  return Json{{"ended", ended}};
}

Result<Json> run_reload(Host& host, const Json&) {
  const LiveServer::Reload report = TRY(running(host))->reload();
  return Json{{"done", report.done}, {"problems", report.problems}, {"need_restart", report.need_restart}};
}

Result<Json> run_log_level(Host& host, const Json& arguments) {
  LiveServer* server = TRY(running(host));
  if (const auto wanted = text_argument(arguments, "level")) {
    constexpr std::array levels = {LogLevel::error, LogLevel::warn, LogLevel::info, LogLevel::debug, LogLevel::trace};
    const auto level = std::ranges::find_if(levels, [&](LogLevel one) { return to_string(one) == *wanted; });
    if (level == levels.end()) return failure(ErrorKind::bad_syntax, "Levels are error, warn, info, debug and trace");
    server->set_log_level(*level);
  }
  return Json{{"level", to_string(server->log_level())}};
}

Result<Json> run_status(Host& host, const Json&) { return TRY(running(host))->status(); }

std::string duration(std::int64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 120 * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

void print_who(const Json& sessions, std::ostream& out) {
  TextTable table(std::vector(7, TextTable::Align::left));
  table.add({"SESSION", "PROTOCOL", "USER", "ADDRESS", "TLS", "SINCE", "IDLE"});
  for (const Json& session : sessions) {
    const auto user = session["user"].get<std::string>(), tls = session["tls"].get<std::string>();
    table.add({session["session"], session["protocol"], user.empty() ? "-" : user, session["address"],
               tls.empty() ? "-" : tls.substr(0, tls.find(' ')), shown_time(session["since"]),
               duration(session["idle"])});
  }
  table.print(out);
}

void print_kick(const Json& result, std::ostream& out) {
  out << "asked " << result["ended"] << (result["ended"] == 1 ? " session" : " sessions") << " to end\n";
}

void print_reload(const Json& result, std::ostream& out) {
  for (const Json& problem : result["problems"]) out << problem.get<std::string>() << "\n";
  if (!result["done"].get<bool>()) {
    out << "Nothing was changed: the old configuration holds. Correct the file and reload again.\n";
    return;
  }
  out << "The configuration was read again.\n";
  for (const Json& key : result["need_restart"]) out << "needs a restart: " << key.get<std::string>() << "\n";
}

void print_level(const Json& result, std::ostream& out) { out << result["level"].get<std::string>() << "\n"; }

void print_status(const Json& status, std::ostream& out) {
  const auto number = [](const Json& value) { return with_commas(value.get<std::uint64_t>()); };
  out << "postkeep " << status["version"].get<std::string>() << ", process " << status["process"] << ", up "
      << duration(status["uptime"]) << " (since " << shown_time(status["started"]) << ")\n";
  out << "connections:  ";
  std::string list;
  for (const auto& [protocol, count] : status["connections"].items()) {
    if (count != 0) list += (list.empty() ? "" : ", ") + protocol + " " + number(count);
  }
  out << (list.empty() ? "none" : list) << "\n";
  const Json& minute = status["last_minute"];
  out << "last minute:  " << number(minute["connections"]) << " connections, " << number(minute["logins"])
      << " logins (" << number(minute["failed_logins"]) << " failed), " << number(minute["deliveries"])
      << " deliveries, " << number(minute["commands"]) << " commands\n";
  if (status["memory"].is_number()) out << "memory:       " << human_octets(status["memory"]) << "\n";
  if (status["open_files"].is_number()) out << "open files:   " << number(status["open_files"]) << "\n";
  out << "accounts:     " << number(status["open_accounts"]) << " open\n";
  out << "queues:       storage " << number(status["storage_queue"]) << ", authentication "
      << number(status["auth_queue"]) << "\n";
}

// The exit code says whether the new configuration holds.
Outcome check_reload(const Json& result) {
  if (result["done"].get<bool>()) return {};
  return failure(ErrorKind::cannot, "The configuration was not reloaded");
}

constexpr std::array who_parameters = {Parameter{.kind = Kind::optional_positional,
                                                 .name = "user",
                                                 .help = "this user's sessions alone",
                                                 .completes = Parameter::Completes::user}};
constexpr std::array kick_parameters = {
    Parameter{.kind = Kind::optional_positional,
              .name = "user",
              .help = "whose sessions",
              .completes = Parameter::Completes::user},
    Parameter{Kind::option, "session", "ID", "one session, as `who` and the log call it"},
    Parameter{Kind::option, "address", "IP", "all sessions from an address"},
};
constexpr std::array level_parameters = {Parameter{.kind = Kind::optional_positional,
                                                   .name = "level",
                                                   .help = "the new level",
                                                   .choices = "error warn info debug trace"}};

constexpr std::array live_commands = {
    Command{
        .noun = "who",
        .help = "Lists who is connected.",
        .parameters = who_parameters,
        .run = run_who,
        .print = print_who,
        .json =
            R"([{"session": "a41f09", "protocol": "imap", "user": "alice", "address": "192.0.2.7", "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384", "since": 1795714399, "idle": 42}])",
        .details = "\"since\" is in seconds since 1970, \"idle\" in seconds since the last command. Before a login "
                   "\"user\" is empty, without TLS \"tls\" is."},
    Command{.noun = "kick",
            .help = "Ends sessions after their current command; they may log in again.",
            .parameters = kick_parameters,
            .run = run_kick,
            .print = print_kick,
            .json = R"({"ended": 2})",
            .details = "To keep a user out, `postkeep user disable` ends the sessions and refuses new ones.\n"
                       "    postkeep kick alice\n"
                       "    postkeep kick --address 192.0.2.7"},
    Command{.noun = "reload",
            .help = "Has the server read its configuration and certificate again, and tells what is wrong.",
            .run = run_reload,
            .print = print_reload,
            .check = check_reload,
            .json = R"({"done": true, "problems": [], "need_restart": ["listen.imap"]})",
            .details =
                "If anything is wrong nothing changes: the configuration before holds, \"done\" is false, and the "
                "exit code is 1."},
    Command{.noun = "log",
            .verb = "level",
            .help = "Shows or sets how much is logged, until the next reload or restart.",
            .parameters = level_parameters,
            .run = run_log_level,
            .print = print_level,
            .json = R"({"level": "info"})"},
    Command{
        .noun = "status",
        .help = "Shows how the running server is: connections, rates, memory.",
        .run = run_status,
        .print = print_status,
        .json =
            R"({"version": "0.1.0", "process": 811, "started": 1795714399, "uptime": 3600, "connections": {"imap": 2, "imaps": 41, "pop3": 0, "pop3s": 3, "lmtp": 1}, "last_minute": {"connections": 12, "logins": 9, "failed_logins": 0, "deliveries": 31, "commands": 240}, "memory": 17301504, "open_files": 83, "open_accounts": 12, "storage_queue": 0, "auth_queue": 0})",
        .details =
            "\"memory\" is resident memory in octets; \"uptime\" is in seconds, \"started\" in seconds since 1970."},
};

}  // namespace

std::span<const Command> live_rows() { return live_commands; }

}  // namespace postkeep::admin
