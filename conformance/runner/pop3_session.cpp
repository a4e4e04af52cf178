// See pop3_session.h.
#include "conformance/runner/pop3_session.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

Outcome must_be_ok(const Pop3Reply& reply, std::string_view command) {
  const std::string verb(command.substr(0, command.find(' ')));
  if (reply.statuses.empty()) return failure(ErrorKind::unavailable, verb + " was not answered");
  if (!reply.statuses.front().starts_with("+OK"))
    return failure(ErrorKind::cannot, verb + ": " + reply.statuses.front());
  return {};
}

Result<Pop3Reply> ask_pop3(Connection& connection, const std::string& command) {
  connection.send(command + "\r\n");
  Pop3Reply reply = read_pop3_reply(connection, command);
  TRY(must_be_ok(reply, command));
  return reply;
}

void note_capabilities(const Pop3Reply& reply, std::set<std::string>& capabilities) {
  for (const std::string& line : reply.lines) {
    std::istringstream in(ascii::to_upper(line));
    std::string tag;
    in >> tag;
    capabilities.insert(tag);
    for (std::string parameter; in >> parameter;) capabilities.insert(tag + "=" + parameter);
  }
}

}  // namespace

bool has_several_lines(std::string_view command) {
  const std::size_t end = std::min(command.find(' '), command.size());
  const std::string verb = ascii::to_upper(std::string(command.substr(0, end)));
  if (verb == "RETR" || verb == "TOP" || verb == "CAPA") return true;
  const bool alone = command.substr(end).find_first_not_of(' ') == std::string_view::npos;
  return alone && (verb == "LIST" || verb == "UIDL" || verb == "LANG" || verb == "AUTH");
}

Pop3Reply read_pop3_reply(Connection& connection, std::string_view command) {
  Pop3Reply reply;
  std::optional<std::string> line = connection.next_line(patience);
  if (line && line->starts_with('+') && !line->starts_with("+OK")) {
    reply.continues = true;
  } else if (line) {
    reply.statuses.push_back(*line);
    const bool goes_on = line->starts_with("+OK") && has_several_lines(command);
    while (goes_on && (line = connection.next_line(patience)) && *line != ".") {
      reply.lines.push_back(line->starts_with('.') ? line->substr(1) : *line);
    }
    // An answer without an end is none.
    if (goes_on && !line) reply.statuses.clear();
  }
  reply.octets = connection.received();
  reply.closed = connection.closed();
  return reply;
}

Result<Pop3Opened> open_pop3(const Target& target, std::string name, std::vector<std::string>& log) {
  if (!target.pop3) return failure(ErrorKind::unavailable, "there is no POP3");
  Pop3Opened opened;
  opened.connection = TRY(Connection::open(*target.pop3, std::move(name), log));
  const std::optional<std::string> greeting = opened.connection->next_line(patience);
  if (!greeting || !greeting->starts_with("+OK")) return failure(ErrorKind::unavailable, "no greeting came");
  opened.greeting = *greeting;
  if (target.pop3->starttls) {
    TRY(ask_pop3(*opened.connection, "STLS"));
    TRY(opened.connection->start_tls());
  }
  return opened;
}

Outcome log_in_pop3(const Target& target, int user, Connection& connection) {
  const Account& account = target.accounts.at(static_cast<std::size_t>(user - 1));
  TRY(ask_pop3(connection, "USER " + account.user));
  TRY(ask_pop3(connection, "PASS " + account.password));
  return {};
}

Result<std::set<std::string>> pop3_capabilities(const Target& target, std::vector<std::string>& log) {
  std::set<std::string> capabilities;
  const Pop3Opened opened = TRY(open_pop3(target, "p", log));
  note_capabilities(TRY(ask_pop3(*opened.connection, "CAPA")), capabilities);
  TRY(log_in_pop3(target, 1, *opened.connection));
  note_capabilities(TRY(ask_pop3(*opened.connection, "CAPA")), capabilities);
  (void)ask_pop3(*opened.connection, "QUIT");
  return capabilities;
}

}  // namespace postkeep::conformance
