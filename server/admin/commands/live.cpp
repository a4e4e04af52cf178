// who, kick, reload, log level, status: of a running server alone. Without one they say so.
#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>

#include "server/admin/commands/rows.h"
#include "server/admin/live_server.h"
#include "server/admin/progress_bar.h"

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

std::string clock_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%F %T", &local);
  return text.data();
}

std::string duration(std::int64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 120 * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

// Columns as wide as their widest cell.
void print_table(const std::vector<std::vector<std::string>>& rows, std::ostream& out) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

void print_who(const Json& sessions, std::ostream& out) {
  std::vector<std::vector<std::string>> rows = {{"SESSION", "PROTOCOL", "USER", "ADDRESS", "TLS", "SINCE", "IDLE"}};
  for (const Json& session : sessions) {
    const auto user = session["user"].get<std::string>(), tls = session["tls"].get<std::string>();
    rows.push_back({session["session"], session["protocol"], user.empty() ? "-" : user, session["address"],
                    tls.empty() ? "-" : tls.substr(0, tls.find(' ')), clock_time(session["since"]),
                    duration(session["idle"])});
  }
  print_table(rows, out);
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
      << duration(status["uptime"]) << " (since " << clock_time(status["started"]) << ")\n";
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

constexpr std::array who_parameters = {Parameter{Kind::optional_positional, "user", "", "this user's sessions alone"}};
constexpr std::array kick_parameters = {
    Parameter{Kind::optional_positional, "user", "", "whose sessions"},
    Parameter{Kind::option, "session", "ID", "one session, as `who` and the log call it"},
    Parameter{Kind::option, "address", "IP", "all sessions from an address"},
};
constexpr std::array level_parameters = {
    Parameter{Kind::optional_positional, "level", "", "the new level: error, warn, info, debug or trace"}};

constexpr std::array rows = {
    Command{"who", "", "Lists who is connected.", who_parameters, nullptr, nullptr, run_who, print_who},
    Command{"kick", "", "Ends sessions after their current command; they may log in again.", kick_parameters, nullptr,
            nullptr, run_kick, print_kick},
    Command{"reload",
            "",
            "Has the server read its configuration and certificate again, and tells what is wrong.",
            {},
            nullptr,
            nullptr,
            run_reload,
            print_reload,
            nullptr,
            nullptr,
            nullptr,
            check_reload},
    Command{"log", "level", "Shows or sets how much is logged, until the next reload or restart.", level_parameters,
            nullptr, nullptr, run_log_level, print_level},
    Command{"status",
            "",
            "Shows how the running server is: connections, rates, memory.",
            {},
            nullptr,
            nullptr,
            run_status,
            print_status},
};

}  // namespace

std::span<const Command> live_rows() { return rows; }

}  // namespace postkeep::admin
