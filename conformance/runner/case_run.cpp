// See case_run.h.
#include "conformance/runner/case_run.h"

#include <algorithm>
#include <chrono>
#include <regex>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/base64.h"

namespace postkeep::conformance {

namespace {

using imap::client::Response;
using std::chrono::milliseconds;
using Kind = Expectation::Kind;
using Demand = Expectation::Demand;

constexpr milliseconds patience{5000};
constexpr milliseconds silence{300};            // that counts as nothing
constexpr std::size_t regex_octets_max = 4096;  // of a line: std::regex recurses
constexpr milliseconds aftermath{50};  // in which what must not come is waited for, where there is no reply to end it

// A response as one row of values: "* 2 FETCH (...)" is 2, FETCH and a list. The names and values of ESEARCH are made a
// list too, as FETCH has them.
std::vector<Value> row_of(const Response& response) {
  std::vector<Value> row;
  const auto atom = [](std::string text) {
    Value value;
    value.kind = Value::Kind::atom;
    value.text = std::move(text);
    return value;
  };
  if (response.number) row.push_back(atom(std::to_string(*response.number)));
  row.push_back(atom(response.name));
  std::size_t begin = 0;
  if (response.name == "ESEARCH") {
    Value pairs;
    pairs.kind = Value::Kind::list;
    while (begin < response.data.size() &&
           (response.data[begin].kind == Value::Kind::list || ascii::iequals(response.data[begin].text, "UID"))) {
      row.push_back(response.data[begin++]);
    }
    pairs.items.assign(response.data.begin() + static_cast<std::ptrdiff_t>(begin), response.data.end());
    row.push_back(std::move(pairs));
    return row;
  }
  row.insert(row.end(), response.data.begin(), response.data.end());
  return row;
}

bool is_word(const Pattern& pattern, std::string_view word) {
  return pattern.kind == Pattern::Kind::atom && ascii::iequals(pattern.text, word);
}

bool has_pairs(const std::vector<Pattern>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [](const Pattern& pattern) {
    return is_word(pattern, "FETCH") || is_word(pattern, "STATUS") || is_word(pattern, "ESEARCH");
  });
}

// As row_of() makes of the response.
std::vector<Pattern> row_of(const std::vector<Pattern>& patterns) {
  if (patterns.empty() || !is_word(patterns[0], "ESEARCH")) return patterns;
  std::size_t begin = 1;
  while (begin < patterns.size() && (patterns[begin].kind == Pattern::Kind::list || is_word(patterns[begin], "UID"))) {
    ++begin;
  }
  if (begin < patterns.size() && patterns[begin].kind == Pattern::Kind::rest) return patterns;
  std::vector<Pattern> row(patterns.begin(), patterns.begin() + static_cast<std::ptrdiff_t>(begin));
  Pattern pairs;
  pairs.kind = Pattern::Kind::list;
  pairs.items.assign(patterns.begin() + static_cast<std::ptrdiff_t>(begin), patterns.end());
  // (TAG x) is a list of names and values as well, which it is.
  row.push_back(std::move(pairs));
  return row;
}

// What stands in "[...]", as values: read as data of a response of its own.
std::vector<Value> code_values(const std::string& code) {
  imap::client::ResponseParser parser;
  parser.feed("* CODE " + code + "\r\n");
  const auto response = parser.next();
  if (!response || !*response) return {};
  return (*response)->data;
}

bool is_tagged(const Response& response, const std::string& tag) {
  return response.kind == Response::Kind::tagged && response.tag == tag;
}

bool any_line_matches(std::string_view text, const std::string& pattern) {
  const std::regex regex(pattern);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string line(text.substr(0, std::min(end, regex_octets_max)));
    if (std::regex_search(line, regex)) return true;
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return false;
}

std::string show(const Expectation& wanted) { return "line " + std::to_string(wanted.line) + ": " + wanted.source; }

// The literal that begins at `text`, "{{name}}" and the like: what it holds and how it is announced.
struct Literal {
  std::size_t begin = 0;  // in the command, where it is announced
  std::size_t end = 0;
  std::string octets;
  bool synchronising = true;
};

Result<std::optional<Literal>> find_literal(std::string_view text, const Fixtures& fixtures,
                                            const Variables& variables) {
  Literal literal;
  literal.begin = text.find("{{");
  if (literal.begin == std::string_view::npos) return std::optional<Literal>();
  const std::size_t end = text.find("}}", literal.begin);
  if (end == std::string_view::npos) return failure(ErrorKind::bad_syntax, "{{ is not closed");
  literal.end = end + 2;
  std::string_view name = text.substr(literal.begin + 2, end - literal.begin - 2);
  if (name.starts_with('+')) {
    literal.synchronising = false;
    name.remove_prefix(1);
  }
  if (name.starts_with('"') && name.ends_with('"') && name.size() > 1) {
    literal.octets = substituted(unescaped(name.substr(1, name.size() - 2)), variables);
  } else if (ascii::all(name, ascii::is_digit)) {
    // A message of so many octets.
    const std::size_t size = std::stoul(std::string(name));
    literal.octets = "Subject: of a size\r\n\r\n";
    while (literal.octets.size() + 72 <= size) literal.octets += std::string(70, 'x') + "\r\n";
    literal.octets.resize(std::max(literal.octets.size(), size), 'x');
  } else if (name.starts_with('$')) {
    literal.octets = substituted(name, variables);
  } else if (const auto fixture = fixtures.find(std::string(name)); fixture != fixtures.end()) {
    literal.octets = fixture->second;
  } else {
    return failure(ErrorKind::bad_syntax, "no fixture " + std::string(name));
  }
  return std::optional<Literal>(std::move(literal));
}

}  // namespace

std::string_view to_string(Mode mode) { return mode == Mode::rev1 ? "rev1" : "rev2"; }

CaseRun::CaseRun(const Target& target, const Fixtures& fixtures, Mode mode, int number)
    : target_(target), fixtures_(fixtures), mode_(mode), prefix_("conf-" + std::to_string(number) + "-") {}
CaseRun::~CaseRun() = default;

CaseResult CaseRun::run(const Case& one) {
  CaseResult result;
  Outcome done = prepare(one);
  if (done) {
    if (std::optional<std::string> reason = why_skipped(one)) {
      result.verdict = CaseResult::Verdict::skipped;
      result.reason = std::move(*reason);
      return result;
    }
  } else {
    done = failure(done.error().kind, "could not be set up: " + done.error().text);
  }
  for (const Step& step : one.steps) {
    if (!done) break;
    done = run_step(step);
    if (!done && failed_line_ == 0) failed_line_ = step.line;
  }
  clients_.clear();
  if (housekeeping_) tidy_up(one);
  if (!done) {
    result.verdict = CaseResult::Verdict::failed;
    result.reason = done.error().text;
    result.line = failed_line_;
    result.exchange = std::move(exchange_);
    if (result.exchange.empty()) result.exchange = housekeeping_log_;
  }
  return result;
}

std::optional<std::string> CaseRun::why_skipped(const Case& one) const {
  if (mode_ == Mode::rev1 ? !one.rev1 : !one.rev2) return "of another mode";
  if (mode_ == Mode::rev2 && capabilities_.count("IMAP4REV2") == 0) return "needs IMAP4rev2";
  if (one.delivers && !target_.lmtp) return "needs delivery by LMTP";
  for (const std::string& need : one.needs) {
    bool has = false;
    std::string_view rest = need;
    while (!rest.empty() && !has) {
      const std::size_t bar = std::min(rest.find('|'), rest.size());
      const std::string word = ascii::to_upper(std::string(rest.substr(0, bar)));
      has = capabilities_.count(word) == 1 || (word == "REV2" && mode_ == Mode::rev2);
      rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
    if (!has) return "needs " + need;
  }
  for (const Step& step : one.steps) {
    if (step.user == 2 && target_.accounts[1].user.empty()) return "needs a second user";
  }
  return std::nullopt;
}

Outcome CaseRun::prepare(const Case& one) {
  // Capabilities of before and after login count.
  std::unique_ptr<Connection> stranger = TRY(Connection::open(target_.imap, "h", housekeeping_log_));
  TRY(stranger->next(patience));
  stranger->send("h0 CAPABILITY\r\n");
  const auto note = [&](const Response& response) {
    if (response.name != "CAPABILITY") return;
    for (const Value& value : response.data) capabilities_.insert(ascii::to_upper(value.text));
  };
  for (;;) {
    const std::optional<Response> response = TRY(stranger->next(patience));
    if (!response || response->kind == Response::Kind::tagged) break;
    note(*response);
  }
  housekeeping_ = TRY(log_in(target_.accounts[0], "h", housekeeping_log_));
  for (const Response& response : TRY(ask("CAPABILITY"))) note(response);
  if (why_skipped(one)) return {};
  for (const Response& response : TRY(ask("LIST \"\" \"\""))) {
    if (response.name == "LIST" && response.data.size() > 1) variables_["@@"] = response.data[1].text;
  }
  for (std::size_t i = 0; i < target_.accounts.size(); ++i) {
    const Account& account = target_.accounts[i];
    const std::string suffix = std::to_string(i + 1);
    variables_["user" + suffix] = account.user;
    variables_["password" + suffix] = account.password;
    variables_["plain" + suffix] =
        base64_encode(std::string(1, '\0') + account.user + std::string(1, '\0') + account.password);
  }
  if (one.uses_inbox) tidy_up(one);
  for (const Given& given : one.given) {
    const std::string name = prefix_ + given.variable;
    variables_[given.variable] = name;
    if (!given.create) continue;
    TRY(ask("CREATE " + name));
    for (const Message& message : given.messages) TRY(append(name, message));
  }
  return {};
}

Outcome CaseRun::append(const std::string& mailbox, const Message& message) {
  const auto fixture = fixtures_.find(message.fixture);
  if (fixture == fixtures_.end()) return failure(ErrorKind::not_found, "no fixture " + message.fixture);
  const std::string flags = message.flags.empty() ? "" : "(" + message.flags + ") ";
  housekeeping_->send("h APPEND " + mailbox + " " + flags + "{" + std::to_string(fixture->second.size()) + "}\r\n");
  const std::optional<Response> go = TRY(housekeeping_->next(patience));
  if (!go || go->kind != Response::Kind::continuation) return failure(ErrorKind::unavailable, "APPEND was refused");
  housekeeping_->send(fixture->second + "\r\n");
  for (;;) {
    const std::optional<Response> response = TRY(housekeeping_->next(patience));
    if (!response) return failure(ErrorKind::unavailable, "APPEND was not answered");
    if (response->kind != Response::Kind::tagged) continue;
    if (response->name != "OK") return failure(ErrorKind::unavailable, "APPEND: " + response->text);
    return {};
  }
}

Result<CaseRun::Responses> CaseRun::ask(const std::string& command) {
  const std::string tag = "h" + std::to_string(++housekeeping_tags_);
  housekeeping_->send(tag + " " + command + "\r\n");
  Responses responses;
  for (;;) {
    std::optional<Response> response = TRY(housekeeping_->next(patience));
    if (!response) return failure(ErrorKind::unavailable, command + " was not answered");
    if (!is_tagged(*response, tag)) {
      responses.push_back(std::move(*response));
      continue;
    }
    if (response->name != "OK") return failure(ErrorKind::cannot, command + ": " + response->text);
    return responses;
  }
}

Result<std::unique_ptr<Connection>> CaseRun::log_in(const Account& account, std::string name,
                                                    std::vector<std::string>& log) {
  std::unique_ptr<Connection> connection = TRY(Connection::open(target_.imap, std::move(name), log));
  TRY(connection->next(patience));
  connection->send("login LOGIN \"" + account.user + "\" \"" + account.password + "\"\r\n");
  for (;;) {
    const std::optional<Response> response = TRY(connection->next(patience));
    if (!response) return failure(ErrorKind::unavailable, "LOGIN was not answered");
    if (response->kind != Response::Kind::tagged) continue;
    if (response->name != "OK") return failure(ErrorKind::cannot, "LOGIN: " + response->text);
    return connection;
  }
}

// Deepest first; a failure here makes another case fail if it matters.
void CaseRun::tidy_up(const Case& one) {
  std::vector<std::string> names;
  for (const char* verb : {"LIST", "LSUB"}) {
    const auto listed = ask(std::string(verb) + " \"\" \"" + prefix_ + "*\"");
    if (!listed) continue;
    for (const Response& response : *listed) {
      if (response.name == verb && response.data.size() > 2) names.push_back(response.data[2].text);
    }
  }
  std::sort(names.rbegin(), names.rend());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    quoted += "\"";
    (void)ask("UNSUBSCRIBE " + quoted);
    (void)ask("DELETE " + quoted);
  }
  if (!one.uses_inbox) return;
  if (!ask("SELECT INBOX")) return;
  (void)ask("STORE 1:* +FLAGS.SILENT (\\Deleted)");
  (void)ask("CLOSE");
}

Result<CaseRun::Client*> CaseRun::client_of(const Step& step) {
  Client& client = clients_[step.connection];
  if (client.connection) return &client;
  const std::string name(1, step.connection);
  if (!step.authenticated) {
    client.connection = TRY(Connection::open(target_.imap, name, exchange_));
    TRY(client.connection->next(patience));
    return &client;
  }
  client.connection = TRY(log_in(target_.accounts[static_cast<std::size_t>(step.user - 1)], name, exchange_));
  if (mode_ == Mode::rev2) {
    client.connection->send("enable ENABLE IMAP4rev2\r\n");
    for (;;) {
      const std::optional<Response> response = TRY(client.connection->next(patience));
      if (!response) return failure(ErrorKind::unavailable, "ENABLE was not answered");
      if (response->kind == Response::Kind::tagged) break;
    }
  }
  return &client;
}

Outcome CaseRun::run_step(const Step& step) {
  using StepKind = Step::Kind;
  if (step.kind == StepKind::deliver) return deliver(step);
  Client* client = TRY(client_of(step));
  Connection& connection = *client->connection;
  connection.mark();
  switch (step.kind) {
    case StepKind::command: {
      const std::string tag =
          std::string(1, static_cast<char>(step.connection | 0x20)) + std::to_string(++client->tags);
      client->last_tag = tag;
      const bool whole = TRY(send_command(*client, tag, step.text, pending_));
      const bool waits = whole && std::any_of(step.expectations.begin(), step.expectations.end(), [](const auto& e) {
                           return e.kind == Kind::continuation && e.demand == Demand::must;
                         });
      return evaluate(step, *client, tag, waits ? Until::tagged_or_continuation : Until::tagged);
    }
    case StepKind::line:
      connection.send(substituted(step.text, variables_) + "\r\n");
      return evaluate(step, *client, client->last_tag, Until::tagged_or_continuation);
    case StepKind::raw:
      connection.send(unescaped(substituted(step.text, variables_)));
      return evaluate(step, *client, "", Until::satisfied);
    case StepKind::send: {
      const std::string tag =
          std::string(1, static_cast<char>(step.connection | 0x20)) + std::to_string(++client->tags);
      client->sent[step.tag] = tag;
      TRY(send_command(*client, tag, step.text, pending_));
      return {};
    }
    case StepKind::await:
      return evaluate(step, *client, client->sent[step.tag], Until::tagged);
    case StepKind::sees:
      return evaluate(step, *client, client->last_tag, Until::satisfied);
    case StepKind::sees_nothing: {
      const std::optional<Response> response = TRY(connection.next(silence));
      if (!response) return {};
      return failure(ErrorKind::cannot, "something came: " + response->name + " " + response->text);
    }
    case StepKind::close:
      client->connection.reset();
      return {};
    case StepKind::deliver:
      break;
  }
  return {};
}

Result<bool> CaseRun::send_command(Client& client, const std::string& tag, const std::string& text, Responses& early) {
  std::string rest = tag + " " + text;
  for (;;) {
    const std::optional<Literal> literal = TRY(find_literal(rest, fixtures_, variables_));
    if (!literal) {
      client.connection->send(substituted(rest, variables_) + "\r\n");
      return true;
    }
    const std::string announced =
        "{" + std::to_string(literal->octets.size()) + (literal->synchronising ? "}\r\n" : "+}\r\n");
    std::string octets = substituted(rest.substr(0, literal->begin), variables_) + announced;
    rest.erase(0, literal->end);
    if (!literal->synchronising) {
      client.connection->send(octets + literal->octets);
      continue;
    }
    client.connection->send(octets);
    for (;;) {
      std::optional<Response> response = TRY(client.connection->next(patience));
      if (!response) return false;
      if (response->kind == Response::Kind::continuation) break;
      const bool refused = is_tagged(*response, tag);
      early.push_back(std::move(*response));
      if (refused) return false;
    }
    client.connection->send(literal->octets);
  }
}

Outcome CaseRun::evaluate(const Step& step, Client& client, const std::string& tag, Until until) {
  Responses responses = std::exchange(pending_, {});
  const bool wants_close = std::any_of(step.expectations.begin(), step.expectations.end(),
                                       [](const Expectation& e) { return e.kind == Kind::closed; });
  const auto is_end = [&](const Response& response) {
    if (is_tagged(response, tag)) return true;
    return until == Until::tagged_or_continuation && response.kind == Response::Kind::continuation;
  };
  bool ended = !responses.empty() && until != Until::satisfied && is_end(responses.back());
  while (!ended) {
    if (until == Until::satisfied && !wants_close && satisfied(step, tag, responses)) break;
    auto response = client.connection->next(patience);
    if (!response) return tl::unexpected<Error>(response.error());
    if (!*response) break;
    responses.push_back(std::move(**response));
    ended = until != Until::satisfied && is_end(responses.back());
  }
  // What must not come may be late; what ends the connection comes last.
  const milliseconds rest = wants_close ? patience : until == Until::satisfied ? aftermath : milliseconds(0);
  while (rest.count() > 0 && !client.connection->closed()) {
    auto response = client.connection->next(rest);
    if (!response || !*response) break;
    responses.push_back(std::move(**response));
  }
  return judge(step, tag, responses, *client.connection);
}

bool CaseRun::satisfied(const Step& step, const std::string& tag, const Responses& responses) {
  const Variables before = variables_;
  std::set<std::size_t> used;
  bool all = true;
  for (const Expectation& wanted : step.expectations) {
    const bool matters = wanted.demand == Demand::must && wanted.kind != Kind::nothing_else;
    if (!matters || !all) continue;
    const std::optional<std::size_t> at = find(wanted, tag, responses, used, 0);
    if (at) used.insert(*at);
    all = at.has_value();
  }
  variables_ = before;
  return all;
}

bool CaseRun::fits(const Expectation& wanted, const std::string& tag, const Response& response) {
  switch (wanted.kind) {
    case Kind::continuation:
      return response.kind == Response::Kind::continuation;
    case Kind::tagged:
      // A line that has no tag of its own is answered without one.
      if (wanted.tag.empty() && tag.empty() && response.kind == Response::Kind::untagged) break;
      if (response.kind != Response::Kind::tagged) return false;
      // Where raw octets were sent, the tag may be any.
      if (!wanted.tag.empty() ? response.tag != wanted.tag : !tag.empty() && response.tag != tag) return false;
      break;
    case Kind::untagged:
      if (response.kind != Response::Kind::untagged) return false;
      break;
    default:
      return false;
  }
  Matcher matcher(variables_, fixtures_);
  if (wanted.statuses.empty()) {
    const Shape shape = has_pairs(wanted.patterns) ? Shape::pairs : Shape::sequence;
    return matcher.fits(row_of(wanted.patterns), row_of(response), shape);
  }
  return std::any_of(wanted.statuses.begin(), wanted.statuses.end(), [&](const Expectation::Status& status) {
    return status.condition == response.name &&
           (status.code.empty() || matcher.fits(status.code, code_values(response.code)));
  });
}

std::optional<std::size_t> CaseRun::find(const Expectation& wanted, const std::string& tag, const Responses& responses,
                                         const std::set<std::size_t>& used, std::size_t from) {
  for (std::size_t i = from; i < responses.size(); ++i) {
    if (used.count(i) == 0 && fits(wanted, tag, responses[i])) return i;
  }
  return std::nullopt;
}

Outcome CaseRun::judge(const Step& step, const std::string& tag, const Responses& responses, Connection& connection) {
  std::set<std::size_t> used;
  std::size_t last = 0;  // behind what the line before matched
  bool nothing_else = false;
  const auto fail = [&](const Expectation& wanted, const std::string& what) {
    failed_line_ = wanted.line;
    return failure(ErrorKind::cannot, what + ": " + show(wanted));
  };
  for (const Expectation& wanted : step.expectations) {
    if (wanted.kind == Kind::nothing_else) nothing_else = true;
    if (wanted.kind == Kind::nothing_else || wanted.demand == Demand::must_not) continue;
    if (wanted.kind == Kind::closed) {
      if (!connection.closed()) return fail(wanted, "the connection was not closed");
      continue;
    }
    const std::optional<std::size_t> at = find(wanted, tag, responses, used, wanted.then ? last : 0);
    if (!at && wanted.demand == Demand::must) return fail(wanted, "did not come");
    if (!at) continue;
    used.insert(*at);
    last = *at + 1;
  }
  for (const Expectation& wanted : step.expectations) {
    if (wanted.demand != Demand::must_not) continue;
    const Variables before = variables_;
    const bool came = wanted.kind == Kind::raw_regex ? any_line_matches(connection.received(), wanted.regex)
                                                     : find(wanted, tag, responses, {}, 0).has_value();
    variables_ = before;
    if (came) return fail(wanted, "came");
  }
  for (std::size_t i = 0; nothing_else && i < responses.size(); ++i) {
    if (responses[i].kind != Response::Kind::untagged || used.count(i) == 1) continue;
    return failure(ErrorKind::cannot, "more came: " + responses[i].name + " " + responses[i].text);
  }
  return {};
}

Outcome CaseRun::deliver(const Step& step) {
  std::unique_ptr<Connection> lmtp = TRY(Connection::open(*target_.lmtp, "L", exchange_));
  const auto reply = [&]() -> Outcome {
    for (;;) {
      const std::optional<std::string> line = lmtp->next_line(patience);
      if (!line) return failure(ErrorKind::unavailable, "LMTP did not answer");
      if (line->size() > 3 && (*line)[3] == '-') continue;
      if ((*line)[0] != '2' && (*line)[0] != '3') return failure(ErrorKind::unavailable, "LMTP: " + *line);
      return {};
    }
  };
  const auto fixture = fixtures_.find(step.text);
  if (fixture == fixtures_.end()) return failure(ErrorKind::not_found, "no fixture " + step.text);
  TRY(reply());
  const Account& account = target_.accounts[static_cast<std::size_t>(step.user - 1)];
  for (const std::string& command : {std::string("LHLO localhost"), std::string("MAIL FROM:<>"),
                                     "RCPT TO:<" + account.user + ">", std::string("DATA")}) {
    lmtp->send(command + "\r\n");
    TRY(reply());
  }
  lmtp->send(fixture->second + ".\r\n");
  return reply();
}

}  // namespace postkeep::conformance
