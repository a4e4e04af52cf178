// See case_run.h.
#include "conformance/runner/case_run.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "conformance/runner/command_text.h"
#include "protocol/base/ascii.h"
#include "protocol/base/base64.h"

namespace postkeep::conformance {

namespace {

using imap::client::Response;
using std::chrono::milliseconds;

constexpr milliseconds silence{300};   // that counts as nothing
constexpr milliseconds aftermath{50};  // in which what must not come is waited for, where there is no reply to end it

bool asks_for(const Step& step, Expectation::Kind kind) {
  return std::any_of(step.expectations.begin(), step.expectations.end(), [kind](const Expectation& wanted) {
    return wanted.kind == kind && wanted.demand == Expectation::Demand::must;
  });
}

// "NAME=" stands for any value of it.
bool is_there(const std::string& word, const std::set<std::string>& capabilities) {
  if (!word.ends_with('=')) return capabilities.count(word) == 1;
  const auto found = capabilities.lower_bound(word);
  return found != capabilities.end() && found->starts_with(word);
}

}  // namespace

bool has_capability(const std::string& need, const std::set<std::string>& capabilities, Mode mode) {
  std::string_view rest = need;
  while (!rest.empty()) {
    const std::size_t bar = std::min(rest.find('|'), rest.size());
    const std::string word = ascii::to_upper(std::string(rest.substr(0, bar)));
    if (is_there(word, capabilities) || (word == "REV2" && mode == Mode::rev2)) return true;
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return false;
}

void set_account_variables(const Target& target, Variables& variables) {
  for (std::size_t i = 0; i < target.accounts.size(); ++i) {
    const Account& account = target.accounts[i];
    const std::string suffix = std::to_string(i + 1);
    variables["user" + suffix] = account.user;
    variables["password" + suffix] = account.password;
    variables["plain" + suffix] =
        base64_encode(std::string(1, '\0') + account.user + std::string(1, '\0') + account.password);
  }
}

CaseRun::CaseRun(const Target& target, const Fixtures& fixtures, Housekeeper& housekeeper, Mode mode, int number)
    : target_(target),
      fixtures_(fixtures),
      housekeeper_(housekeeper),
      mode_(mode),
      prefix_("conf-" + std::to_string(number) + "-"),
      judge_(variables_, fixtures) {}

CaseResult CaseRun::run(const Case& one) {
  CaseResult result;
  int line = one.line;
  Outcome done = housekeeper_.get_ready();
  if (done) {
    if (std::optional<std::string> reason = why_skipped(one)) {
      result.verdict = CaseResult::Verdict::skipped;
      result.reason = std::move(*reason);
      return result;
    }
    done = prepare(one);
  }
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
  housekeeper_.tidy_up(prefix_, one.uses_inbox);
  return result;
}

std::optional<std::string> CaseRun::why_skipped(const Case& one) const {
  const std::set<std::string>& capabilities = housekeeper_.capabilities();
  if (mode_ == Mode::rev1 ? !one.rev1 : !one.rev2) return "of another mode";
  if (mode_ == Mode::rev2 && capabilities.count("IMAP4REV2") == 0) return "needs IMAP4rev2";
  if (one.delivers && !target_.lmtp) return "needs delivery by LMTP";
  for (const std::string& need : one.needs) {
    if (!has_capability(need, capabilities, mode_)) return "needs " + need;
  }
  for (const Step& step : one.steps) {
    if (step.user == 2 && target_.accounts[1].user.empty()) return "needs a second user";
  }
  return std::nullopt;
}

Outcome CaseRun::prepare(const Case& one) {
  variables_["@@"] = housekeeper_.separator();
  set_account_variables(target_, variables_);
  // What a run before this one left behind.
  housekeeper_.tidy_up(prefix_, one.uses_inbox);
  return housekeeper_.make(one.given, prefix_, variables_);
}

Result<CaseRun::Client*> CaseRun::client_of(const Step& step) {
  Client& client = clients_[step.connection];
  if (client.connection) return &client;
  client = Client();
  const std::string name(1, step.connection);
  client.connection = step.authenticated ? TRY(log_in(target_, step.user, mode_, name, exchange_))
                                         : TRY(open_imap(target_.imap, name, exchange_));
  return &client;
}

std::string CaseRun::next_tag(const Step& step, Client& client) {
  return std::string(1, static_cast<char>(step.connection | 0x20)) + std::to_string(++client.tags);
}

Outcome CaseRun::run_step(const Step& step) {
  using StepKind = Step::Kind;
  if (step.kind == StepKind::deliver) {
    const auto fixture = fixtures_.find(step.text);
    if (fixture == fixtures_.end()) return failure(ErrorKind::not_found, "no fixture " + step.text);
    return deliver_by_lmtp(target_, step.user, fixture->second, exchange_);
  }
  Client* client = TRY(client_of(step));
  Connection& connection = *client->connection;
  connection.mark();
  switch (step.kind) {
    case StepKind::command:
      return run_command(step, *client);
    case StepKind::line:
      connection.send(substituted(step.text, variables_) + "\r\n");
      return evaluate(step, *client, client->last_tag, Until::tagged_or_continuation);
    case StepKind::raw:
      connection.send(unescaped(substituted(step.text, variables_)));
      return evaluate(step, *client, "", Until::satisfied);
    case StepKind::send: {
      const std::string tag = next_tag(step, *client);
      client->sent[step.tag] = tag;
      TRY(send_command(*client, tag, step.text));
      return {};
    }
    case StepKind::await: {
      const std::string tag = std::exchange(client->sent[step.tag], "");
      client->sent.erase(step.tag);
      return evaluate(step, *client, tag, Until::tagged);
    }
    case StepKind::sees:
      return evaluate(step, *client, client->last_tag, Until::satisfied);
    case StepKind::sees_nothing:
      return see_nothing(*client);
    case StepKind::handshake:
      return connection.start_tls();
    case StepKind::close:
      client->connection.reset();
      return {};
    case StepKind::deliver:
      break;
  }
  return {};
}

Outcome CaseRun::run_command(const Step& step, Client& client) {
  const std::string tag = next_tag(step, client);
  client.last_tag = tag;
  const bool whole = TRY(send_command(client, tag, step.text));
  const bool waits = whole && asks_for(step, Expectation::Kind::continuation);
  return evaluate(step, client, tag, waits ? Until::tagged_or_continuation : Until::tagged);
}

Result<bool> CaseRun::send_command(Client& client, const std::string& tag, const std::string& text) {
  for (const Piece& piece : TRY(pieces_of(tag + " " + text, fixtures_, variables_))) {
    client.connection->send(piece.octets);
    while (piece.waits) {
      std::optional<Response> response = TRY(client.connection->next(patience));
      if (!response) return false;
      if (response->kind == Response::Kind::continuation) break;
      const bool refused = is_tagged(*response, tag);
      client.pending.push_back(std::move(*response));
      if (refused) return false;
    }
  }
  return true;
}

Outcome CaseRun::see_nothing(Client& client) {
  const std::optional<Response> response = TRY(client.connection->next(silence));
  if (response) return failure(ErrorKind::cannot, "something came: " + response->name + " " + response->text);
  if (client.connection->closed()) return failure(ErrorKind::cannot, "the connection was closed");
  return {};
}

Result<std::optional<Response>> CaseRun::next_of(Client& client) {
  if (client.pending.empty()) return client.connection->next(patience);
  std::optional<Response> response = std::move(client.pending.front());
  client.pending.pop_front();
  return response;
}

// The server may run commands in another order than they were sent in: what comes up to the reply of another one that
// is still awaited is kept for that one.
Result<bool> CaseRun::collect(const Step& step, Client& client, Until until, Answer& answer) {
  const bool wants_close = asks_for(step, Expectation::Kind::closed);
  const auto is_of_another = [&](const Response& response) {
    return std::any_of(client.sent.begin(), client.sent.end(),
                       [&](const auto& sent) { return is_tagged(response, sent.second); });
  };
  std::deque<Response> of_others;
  bool complete = false;
  for (;;) {
    if (until == Until::satisfied && !wants_close && judge_.satisfied(step.expectations, answer)) complete = true;
    if (complete) break;
    std::optional<Response> response = TRY(next_of(client));
    if (!response) break;
    answer.responses.push_back(std::move(*response));
    const Response& last = answer.responses.back();
    if (until == Until::satisfied) continue;
    complete = is_tagged(last, answer.tag) ||
               (until == Until::tagged_or_continuation && last.kind == Response::Kind::continuation);
    if (complete || !is_of_another(last)) continue;
    std::move(answer.responses.begin(), answer.responses.end(), std::back_inserter(of_others));
    answer.responses.clear();
  }
  client.pending.insert(client.pending.begin(), std::make_move_iterator(of_others.begin()),
                        std::make_move_iterator(of_others.end()));
  return complete;
}

Outcome CaseRun::evaluate(const Step& step, Client& client, const std::string& tag, Until until) {
  const bool wants_close = asks_for(step, Expectation::Kind::closed);
  Answer answer;
  answer.tag = tag;
  const bool complete = TRY(collect(step, client, until, answer));
  // What must not come may be late; what ends the connection comes last.
  const milliseconds rest = wants_close ? patience : until == Until::satisfied ? aftermath : milliseconds(0);
  while (rest.count() > 0 && !client.connection->closed()) {
    auto response = client.connection->next(rest);
    if (!response || !*response) break;
    answer.responses.push_back(std::move(**response));
  }
  answer.octets = client.connection->received();
  answer.closed = client.connection->closed();
  ended_ = judge_.may_end(step.expectations, answer);
  TRY(judge_.judge(step.expectations, answer));
  if (ended_) return {};
  if (complete || wants_close || until == Until::satisfied) return {};
  return failure(ErrorKind::cannot, answer.closed ? "the connection was closed" : "no reply came in time");
}

}  // namespace postkeep::conformance
