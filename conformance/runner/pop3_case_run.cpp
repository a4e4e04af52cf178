// See pop3_case_run.h.
#include "conformance/runner/pop3_case_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/base64.h"

namespace postkeep::conformance {

namespace {

using Kind = Pop3Expectation::Kind;
using std::chrono::milliseconds;

constexpr milliseconds pop3_silence{300};   // that counts as nothing
constexpr milliseconds pop3_aftermath{50};  // in which what must not come is waited for

bool wants_close(const Step& step) {
  return std::any_of(step.pop3.begin(), step.pop3.end(),
                     [](const Pop3Expectation& wanted) { return wanted.kind == Kind::closed; });
}

// A line that nobody asked for in particular.
void add_raw(Pop3Reply& reply, std::string line) {
  if (line.starts_with("+OK") || line.starts_with("-ERR")) {
    reply.statuses.push_back(line);
  } else if (line.starts_with('+')) {
    reply.continues = true;
  }
  reply.lines.push_back(std::move(line));
}

}  // namespace

Pop3CaseRun::Pop3CaseRun(const Target& target, const Fixtures& fixtures, Housekeeper& housekeeper,
                         const std::set<std::string>& capabilities)
    : target_(target), housekeeper_(housekeeper), capabilities_(capabilities), judge_(variables_, fixtures) {}

CaseResult Pop3CaseRun::run(const Case& one) {
  CaseResult result;
  if (std::optional<std::string> reason = why_skipped(one)) {
    result.verdict = CaseResult::Verdict::skipped;
    result.reason = std::move(*reason);
    return result;
  }
  int line = one.line;
  Outcome done = prepare(one);
  if (!done) done = failure(done.error().kind, "could not be set up: " + done.error().text);
  for (const Step& step : one.steps) {
    if (!done || ended_) break;
    line = step.line;
    done = run_step(step);
  }
  clients_.clear();
  if (!done) {
    result.verdict = CaseResult::Verdict::failed;
    result.reason = done.error().text;
    result.line = judge_.failed_line() != 0 ? judge_.failed_line() : line;
    result.exchange = std::move(exchange_);
    if (result.exchange.empty()) result.exchange = housekeeper_.log();
  }
  if (done && ended_) {
    result.verdict = CaseResult::Verdict::skipped;
    result.reason = "refused, as it may be: line " + std::to_string(line);
  }
  if (target_.pop3) housekeeper_.tidy_up("", true);
  return result;
}

std::optional<std::string> Pop3CaseRun::why_skipped(const Case& one) const {
  if (!target_.pop3) return "needs POP3";
  for (const std::string& need : one.needs) {
    if (!has_capability(need, capabilities_, Mode::rev1)) return "needs " + need;
  }
  for (const Step& step : one.steps) {
    if (step.user == 2 && target_.accounts[1].user.empty()) return "needs a second user";
  }
  return std::nullopt;
}

Outcome Pop3CaseRun::prepare(const Case& one) {
  TRY(housekeeper_.get_ready());
  set_account_variables(target_, variables_);
  // What a run before this one left behind.
  housekeeper_.tidy_up("", true);
  return housekeeper_.make(one.given, "", variables_);
}

Result<Pop3CaseRun::Client*> Pop3CaseRun::client_of(const Step& step) {
  Client& client = clients_[step.connection];
  if (client.connection) return &client;
  client = Client();
  Pop3Opened opened = TRY(open_pop3(target_, std::string(1, step.connection), exchange_));
  if (step.authenticated) TRY(log_in_pop3(target_, step.user, *opened.connection));
  client.connection = std::move(opened.connection);
  client.greeting = std::move(opened.greeting);
  return &client;
}

Outcome Pop3CaseRun::run_step(const Step& step) {
  using StepKind = Step::Kind;
  Client* client = TRY(client_of(step));
  Connection& connection = *client->connection;
  const std::string greeting = std::exchange(client->greeting, "");
  connection.mark();
  const std::string text = substituted(step.text, variables_);
  switch (step.kind) {
    case StepKind::command:
    case StepKind::line:
      connection.send(text + "\r\n");
      // What follows a challenge is answered in one line, whatever it looks like.
      return judge(step, read_pop3_reply(connection, step.kind == StepKind::line ? "" : text), connection);
    case StepKind::raw:
      connection.send(unescaped(text));
      return see_raw(step, *client);
    case StepKind::send:
      connection.send(text + "\r\n");
      client->sent.push_back({step.tag, text});
      return {};
    case StepKind::await:
      return wait_for(step, *client);
    case StepKind::sees:
      if (!greeting.empty()) {
        Pop3Reply reply;
        add_raw(reply, greeting);
        reply.octets = greeting;
        return judge(step, std::move(reply), connection);
      }
      return see_raw(step, *client);
    case StepKind::sees_nothing:
      return see_nothing(*client);
    case StepKind::handshake:
      return connection.start_tls();
    case StepKind::close:
      client->connection.reset();
      return {};
    case StepKind::deliver:
      return failure(ErrorKind::bad_syntax, "POP3 scripts do not deliver");
  }
  return {};
}

Outcome Pop3CaseRun::wait_for(const Step& step, Client& client) {
  while (client.answered.count(step.tag) == 0 && !client.sent.empty()) {
    const Client::Sent next = std::move(client.sent.front());
    client.sent.pop_front();
    client.connection->mark();
    client.answered[next.tag] = read_pop3_reply(*client.connection, next.command);
  }
  Pop3Reply reply = std::move(client.answered[step.tag]);
  client.answered.erase(step.tag);
  return judge(step, std::move(reply), *client.connection);
}

// Reads until all that must come is there.
Outcome Pop3CaseRun::see_raw(const Step& step, Client& client) {
  Pop3Reply reply;
  while (!judge_.satisfied(step.pop3, reply)) {
    std::optional<std::string> line = client.connection->next_line(patience);
    if (!line) break;
    add_raw(reply, std::move(*line));
  }
  while (std::optional<std::string> line = client.connection->next_line(pop3_aftermath))
    add_raw(reply, std::move(*line));
  reply.octets = client.connection->received();
  return judge(step, std::move(reply), *client.connection);
}

Outcome Pop3CaseRun::judge(const Step& step, Pop3Reply reply, Connection& connection) {
  if (wants_close(step)) {
    while (std::optional<std::string> line = connection.next_line(patience)) add_raw(reply, std::move(*line));
    reply.octets = connection.received();
  }
  reply.closed = connection.closed();
  ended_ = judge_.may_end(step.pop3, reply);
  TRY(judge_.judge(step.pop3, reply));
  const bool answered = !reply.statuses.empty() || reply.continues || step.kind == Step::Kind::raw || wants_close(step);
  if (answered) return {};
  return failure(ErrorKind::cannot, reply.closed ? "the connection was closed" : "no whole reply came in time");
}

Outcome Pop3CaseRun::see_nothing(Client& client) {
  const std::optional<std::string> line = client.connection->next_line(pop3_silence);
  if (line) return failure(ErrorKind::cannot, "something came: " + *line);
  if (client.connection->closed()) return failure(ErrorKind::cannot, "the connection was closed");
  return {};
}

}  // namespace postkeep::conformance
