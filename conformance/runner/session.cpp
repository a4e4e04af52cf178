// See session.h.
#include "conformance/runner/session.h"

#include <utility>

#include "protocol/line/dot_stuffing.h"

namespace postkeep::conformance {

using imap::client::Response;

std::string_view to_string(Mode mode) { return mode == Mode::rev1 ? "rev1" : "rev2"; }

bool is_tagged(const Response& response, std::string_view tag) {
  return response.kind == Response::Kind::tagged && response.tag == tag;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Result<Responses> ask(Connection& connection, const std::string& tag, const std::string& command) {
  connection.send(tag + " " + command + "\r\n");
  const std::string verb = command.substr(0, command.find(' '));
  Responses responses;
  for (;;) {
    std::optional<Response> response = TRY(connection.next(patience));
    if (!response) return failure(ErrorKind::unavailable, verb + " was not answered");
    if (!is_tagged(*response, tag)) {
      responses.push_back(std::move(*response));
      continue;
    }
    if (response->name != "OK") return failure(ErrorKind::cannot, verb + ": " + response->text);
    return responses;
  }
}

Result<std::unique_ptr<Connection>> open_imap(const Endpoint& endpoint, std::string name,
                                              std::vector<std::string>& log) {
  std::unique_ptr<Connection> connection = TRY(Connection::open(endpoint, std::move(name), log));
  const std::optional<Response> greeting = TRY(connection->next(patience));
  if (!greeting) return failure(ErrorKind::unavailable, "no greeting came");
  if (endpoint.starttls) {
    TRY(ask(*connection, "tls", "STARTTLS"));
    TRY(connection->start_tls());
  }
  return connection;
}

Result<std::unique_ptr<Connection>> log_in(const Target& target, int user, Mode mode, std::string name,
                                           std::vector<std::string>& log) {
  const Account& account = target.accounts.at(static_cast<std::size_t>(user - 1));
  std::unique_ptr<Connection> connection = TRY(open_imap(target.imap, std::move(name), log));
  TRY(ask(*connection, "login", "LOGIN " + quoted(account.user) + " " + quoted(account.password)));
  if (target.imap.compress) {
    TRY(ask(*connection, "compress", "COMPRESS DEFLATE"));
    connection->start_deflate();
  }
  if (mode == Mode::rev2) TRY(ask(*connection, "enable", "ENABLE IMAP4rev2"));
  return connection;
}

Outcome deliver_by_lmtp(const Target& target, int user, std::string_view message, std::vector<std::string>& log) {
  std::unique_ptr<Connection> lmtp = TRY(Connection::open(*target.lmtp, "L", log));
  const auto reply = [&]() -> Outcome {
    for (;;) {
      const std::optional<std::string> line = lmtp->next_line(patience);
      if (!line) return failure(ErrorKind::unavailable, "LMTP did not answer");
      if (line->size() > 3 && (*line)[3] == '-') continue;
      if (!line->starts_with('2') && !line->starts_with('3')) return failure(ErrorKind::unavailable, "LMTP: " + *line);
      return {};
    }
  };
  TRY(reply());
  const Account& account = target.accounts.at(static_cast<std::size_t>(user - 1));
  for (const std::string& command : {std::string("LHLO localhost"), std::string("MAIL FROM:<>"),
                                     "RCPT TO:<" + account.user + ">", std::string("DATA")}) {
    lmtp->send(command + "\r\n");
    TRY(reply());
  }
  std::string stuffed;
  line::DotStuffer stuffer;
  stuffer.feed(message, stuffed);
  stuffer.finish(stuffed);
  lmtp->send(stuffed);
  return reply();
}

}  // namespace postkeep::conformance
