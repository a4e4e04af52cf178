#include "server/mta/auth_requests.h"

#include <algorithm>
#include <asio/ip/address.hpp>
#include <utility>

#include "auth/mechanisms.h"
#include "protocol/net/ip_address.h"
#include "server/metrics/metrics.h"
#include "server/runtime/login.h"

namespace postkeep::server {

using auth::Exchange;
using State = Exchange::Progress::State;

// One exchange. A task that waits for it owns it, too: it may be cancelled meanwhile.
struct AuthRequests::Request {
  Request(dovecot_auth::Auth message, Exchange started) : asked(std::move(message)), exchange(std::move(started)) {}

  dovecot_auth::Auth asked;
  Exchange exchange;
  bool waits_for_us = false;  // a task is at it: nothing more may come from the client
  bool cancelled = false;
  SteadyTime since = std::chrono::steady_clock::now();
};

// As long as it lives, output is being sent; whoever waits for that is woken at its end.
class AuthRequests::Sending {
 public:
  explicit Sending(AuthRequests& owner) : owner_(owner) { owner_.sending_ = true; }
  ~Sending() {
    owner_.sending_ = false;
    owner_.sent_.cancel();
  }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

 private:
  AuthRequests& owner_;
};

namespace {

// For the log and the figures: constants, whatever an MTA calls itself.
std::string_view protocol_of(const dovecot_auth::Auth& asked) {
  return asked.service == "smtp" || asked.service == "submission" ? "smtp" : "sasl";
}

// Whose guess it may be. The MTA may ask that no address be blamed.
auth::Origin origin_of(const dovecot_auth::Auth& asked) {
  const auto address = IpAddress::parse(asked.remote_address);
  return address && !asked.no_penalty ? auth::Origin(*address) : auth::Origin();
}

bool is_loopback(const std::string& address) {
  asio::error_code error;
  const asio::ip::address parsed = asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

// As runtime/login judges a connection of our own, by what the MTA tells of its client's.
auth::Circumstances circumstances_for(const SessionContext& context, const dovecot_auth::Auth& asked) {
  const AllowPlaintext allowed = context.settings->auth.allow_plaintext;
  const bool passes = asked.secured || allowed == AllowPlaintext::always ||
                      (allowed == AllowPlaintext::loopback && is_loopback(asked.remote_address));
  auth::Circumstances circumstances = common_circumstances(context);
  circumstances.channel = passes ? auth::Channel::confidential : auth::Channel::exposed;
  return circumstances;
}

// Whether somebody tried to log in, as opposed to a message that is malformed, or an exchange that was given up.
bool is_try(const Error& error) { return error.kind != ErrorKind::bad_syntax; }

bool is_wrong(const Error& error) {
  return error.kind == ErrorKind::authentication_failed || error.kind == ErrorKind::authorization_failed;
}

// Whether the MTA should tell its client to try again later.
dovecot_auth::Failing failing(const Error& error) {
  switch (error.kind) {
    case ErrorKind::authentication_failed:
    case ErrorKind::authorization_failed:
    case ErrorKind::bad_syntax:
    case ErrorKind::cannot:
    case ErrorKind::privacy_required:
      return dovecot_auth::Failing::for_good;
    default:
      return dovecot_auth::Failing::for_a_while;
  }
}

Exchange::Progress failed_with(Error error) {
  Exchange::Progress progress;
  progress.state = State::failed;
  progress.error = std::move(error);
  return progress;
}

}  // namespace

AuthRequests::AuthRequests(SessionContext& context, TaskGroup& tasks)
    : context_(context), tasks_(tasks), sent_(context.executor()) {}

std::vector<dovecot_auth::OfferedMechanism> AuthRequests::offered(const SessionContext& context) {
  auth::Circumstances circumstances = common_circumstances(context);
  circumstances.channel = auth::Channel::confidential;
  std::vector<dovecot_auth::OfferedMechanism> all;
  for (const std::string_view name : auth::offered_mechanisms(circumstances)) {
    const auth::MechanismRow& row = *auth::find_mechanism(name);
    dovecot_auth::OfferedMechanism mechanism;
    mechanism.name = std::string(name);
    mechanism.plaintext = row.needs == auth::Channel::confidential;
    mechanism.mutual_auth = row.by == auth::ChecksBy::keys || row.by == auth::ChecksBy::sha_1_keys;
    all.push_back(std::move(mechanism));
  }
  return all;
}

// An MTA whose client goes away says nothing of it: what has waited too long for the client is forgotten.
void AuthRequests::make_room() {
  const SteadyTime now = std::chrono::steady_clock::now();
  const std::chrono::seconds patience = context_.settings->limits.time_to_authenticate;
  std::erase_if(requests_,
                [&](const auto& entry) { return !entry.second->waits_for_us && now - entry.second->since > patience; });
}

void AuthRequests::fail(std::uint32_t id, const Error& error, std::string_view login) {
  dovecot_auth::write_fail(context_.connection.output(), id, failing(error), login, error.text);
}

Outcome AuthRequests::begin(dovecot_auth::Auth message) {
  const std::uint32_t id = message.id;
  make_room();
  if (requests_.contains(id)) {
    return failure(ErrorKind::client_bug, "An id is in use", "AUTH " + std::to_string(id));
  }
  if (requests_.size() >= auth_requests_max) {
    fail(id, Error(ErrorKind::limit, "Too many authentications at one time"), {});
    return {};
  }
  auto started = Exchange::start(message.mechanism, circumstances_for(context_, message));
  if (!started) {
    context_.logger.debug("mechanism_refused", {{"mechanism", message.mechanism},
                                                {"peer", message.remote_address},
                                                {"kind", to_string(started.error().kind)}});
    fail(id, started.error(), {});
    return {};
  }
  const auto request = std::make_shared<Request>(std::move(message), std::move(*started));
  std::optional<Secret>& initial = request->asked.initial_response;
  std::optional<std::string_view> text;
  if (initial) text = initial->reveal();
  auto progress = request->exchange.begin(text);
  initial.reset();
  requests_[id] = request;
  take(request, std::move(progress));
  return {};
}

void AuthRequests::go_on(dovecot_auth::Continue message) {
  const auto found = requests_.find(message.id);
  if (found == requests_.end() || found->second->waits_for_us) {
    fail(message.id, Error(ErrorKind::bad_syntax, "There is no such authentication under way"), {});
    return;
  }
  const RequestPtr request = found->second;
  take(request, request->exchange.respond(message.response.reveal()));
}

void AuthRequests::cancel(std::uint32_t id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  found->second->cancelled = true;
  requests_.erase(found);
}

// What can be answered at once is; for what must be waited for there is a task.
void AuthRequests::take(const RequestPtr& request, Exchange::Progress progress) {
  if (progress.state == State::challenge) {
    request->since = std::chrono::steady_clock::now();
    dovecot_auth::write_continue(context_.connection.output(), request->asked.id, progress.challenge);
    return;
  }
  if (progress.state == State::look_up || progress.state == State::credentials) {
    request->waits_for_us = true;
    tasks_.spawn(advance(request, std::move(progress)));
    return;
  }
  Result<auth::Identity> identity = tl::unexpected<Error>(progress.error);
  if (progress.state == State::proven) identity = std::move(progress.identity);
  finish(*request, identity);
}

Awaitable<void> AuthRequests::advance(RequestPtr request, Exchange::Progress progress) {
  AuthGateway& gateway = context_.services.auth;
  if (progress.state == State::look_up) {
    auto answer = co_await gateway.look_up_keys(std::move(progress.wanted), origin_of(request->asked));
    progress = answer ? request->exchange.supply(std::move(*answer)) : failed_with(std::move(answer).error());
  } else {
    auto identity = co_await gateway.verify(std::move(progress.credentials), origin_of(request->asked));
    if (identity) {
      progress = Exchange::Progress();
      progress.state = State::proven;
      progress.identity = std::move(*identity);
    } else {
      progress = failed_with(std::move(identity).error());
    }
  }
  request->waits_for_us = false;
  if (request->cancelled) co_return;
  take(request, std::move(progress));
  co_await send();
}

// The end of an exchange: an answer, a line in the log, a figure; as runtime/login has them for our own sessions.
void AuthRequests::finish(Request& request, const Result<auth::Identity>& identity) {
  const dovecot_auth::Auth& asked = request.asked;
  const std::string login = request.exchange.login();
  const std::string_view protocol = protocol_of(asked), mechanism = request.exchange.mechanism();
  requests_.erase(asked.id);
  if (!identity) {
    const Error& error = identity.error();
    fail(asked.id, error, login);
    if (!is_try(error)) return;
    // In the order of runtime/login's line, which others read: what a stranger fills comes last.
    context_.logger.info("login_failed", {{"peer", asked.remote_address},
                                          {"protocol", protocol},
                                          {"mechanism", mechanism},
                                          {"kind", to_string(error.kind)},
                                          {"detail", error.detail},
                                          {"login", login}});
    metrics().logins.at(protocol, mechanism, is_wrong(error) ? "failed" : "error").add();
    return;
  }
  dovecot_auth::write_ok(context_.connection.output(), asked.id, identity->user);
  metrics().logins.at(protocol, mechanism, "ok").add();
  // A login of somebody else tells nothing of when the user was here last.
  const bool is_own = identity->acted_by.empty();
  if (is_own && context_.services.logins != nullptr) context_.services.logins->note(identity->user, protocol);
  Logger logger(context_.logger);
  logger.set_user(identity->user);
  logger.info(
      "login",
      {{"protocol", protocol}, {"mechanism", mechanism}, {"tls", asked.secured}, {"peer", asked.remote_address}});
  if (!is_own) {
    logger.info("acting", {{"by", identity->acted_by},
                           {"as", identity->user},
                           {"protocol", protocol},
                           {"mechanism", mechanism},
                           {"peer", asked.remote_address}});
  }
  if (identity->keys_added) logger.info("scram_keys_added");
  if (!identity->keys_problem.empty()) logger.warn("scram_keys_not_added", {{"reason", identity->keys_problem}});
}

Awaitable<void> AuthRequests::send() {
  Connection& connection = context_.connection;
  while (sending_ && connection.output().size() > Connection::output_bytes_high) {
    sent_.expires_at(SteadyTime::max());
    asio::error_code ignored;
    co_await sent_.async_wait(into(ignored));
  }
  if (sending_) co_return;
  const Sending sending(*this);
  while (!connection.output().empty()) co_await connection.flush();
}

}  // namespace postkeep::server
