// See housekeeper.h.
#include "conformance/runner/housekeeper.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

using imap::client::Response;

Outcome Housekeeper::get_ready() {
  log_.clear();
  if (connection_ && !connection_->closed()) return {};
  return connect();
}

Outcome Housekeeper::connect() {
  connection_.reset();
  std::unique_ptr<Connection> stranger = TRY(open_imap(target_.imap, "h", log_));
  note_capabilities(TRY(ask(*stranger, "h0", "CAPABILITY")));
  connection_ = TRY(log_in(target_, 1, Mode::rev1, "h", log_));
  note_capabilities(TRY(command("CAPABILITY")));
  for (const Response& response : TRY(command("LIST \"\" \"\""))) {
    if (response.name == "LIST" && response.data.size() > 1) separator_ = response.data[1].text;
  }
  return {};
}

void Housekeeper::note_capabilities(const Responses& responses) {
  for (const Response& response : responses) {
    if (response.name != "CAPABILITY") continue;
    for (const Value& value : response.data) capabilities_.insert(ascii::to_upper(value.text));
  }
  // Compression ends with it (RFC 8437 §4.1), which a script cannot say.
  if (target_.imap.compress) capabilities_.erase("UNAUTHENTICATE");
}

Result<Responses> Housekeeper::command(const std::string& text) {
  if (!connection_) return failure(ErrorKind::unavailable, "the housekeeping connection is gone");
  Result<Responses> responses = ask(*connection_, "h" + std::to_string(++tags_), text);
  if (!responses && responses.error().kind != ErrorKind::cannot) connection_.reset();
  return responses;
}

Outcome Housekeeper::make(const std::vector<Given>& given, const std::string& prefix, Variables& variables) {
  for (const Given& one : given) {
    const bool is_inbox = one.variable == "INBOX";
    const std::string name = is_inbox ? one.variable : prefix + one.variable;
    variables[one.variable] = name;
    if (!one.create) continue;
    if (!is_inbox) TRY(command("CREATE " + name));
    for (const Message& message : one.messages) TRY(append(name, message));
  }
  return {};
}

Outcome Housekeeper::append(const std::string& mailbox, const Message& message) {
  const auto fixture = fixtures_.find(message.fixture);
  if (fixture == fixtures_.end()) return failure(ErrorKind::not_found, "no fixture " + message.fixture);
  const std::string tag = "h" + std::to_string(++tags_);
  const std::string flags = message.flags.empty() ? "" : "(" + message.flags + ") ";
  connection_->send(tag + " APPEND " + mailbox + " " + flags + "{" + std::to_string(fixture->second.size()) + "}\r\n");
  bool asked_for = false;
  for (;;) {
    const std::optional<Response> response = TRY(connection_->next(patience));
    if (!response) {
      connection_.reset();
      return failure(ErrorKind::unavailable, "APPEND was not answered");
    }
    if (response->kind == Response::Kind::continuation && !asked_for) connection_->send(fixture->second + "\r\n");
    asked_for = asked_for || response->kind == Response::Kind::continuation;
    if (!is_tagged(*response, tag)) continue;
    if (response->name != "OK") return failure(ErrorKind::cannot, "APPEND: " + response->text);
    return {};
  }
}

// Deepest first.
std::vector<std::string> Housekeeper::names_below(const std::string& prefix) {
  std::vector<std::string> names;
  const bool has_lsub = capabilities_.count("IMAP4REV1") == 1;
  for (const std::string& verb : {std::string("LIST"), std::string(has_lsub ? "LSUB" : "LIST (SUBSCRIBED)")}) {
    const Result<Responses> listed = command(verb + " \"\" \"" + prefix + "*\"");
    if (!listed) continue;
    for (const Response& response : *listed) {
      const bool lists = response.name == "LIST" || response.name == "LSUB";
      if (lists && response.data.size() > 2) names.push_back(response.data[2].text);
    }
  }
  std::sort(names.rbegin(), names.rend());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void Housekeeper::tidy_up(const std::string& prefix, bool inbox) {
  for (const std::string& name : prefix.empty() ? std::vector<std::string>() : names_below(prefix)) {
    (void)command("UNSUBSCRIBE " + quoted(name));
    (void)command("DELETE " + quoted(name));
  }
  if (inbox) empty_inbox();
}

void Housekeeper::empty_inbox() {
  const Result<Responses> selected = command("SELECT INBOX");
  if (!selected) return;
  const bool holds_any = std::any_of(selected->begin(), selected->end(), [](const Response& response) {
    return response.name == "EXISTS" && response.number.value_or(0) > 0;
  });
  if (holds_any) (void)command("STORE 1:* +FLAGS.SILENT (\\Deleted)");
  (void)command("CLOSE");
}

}  // namespace postkeep::conformance
