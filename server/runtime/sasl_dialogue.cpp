#include "server/runtime/sasl_dialogue.h"

#include <utility>

#include "auth/exchange.h"
#include "protocol/base/ascii.h"
#include "server/net/client_certificates.h"

namespace postkeep::server {

using auth::Exchange;
using ProgressState = Exchange::Progress::State;

namespace {

// The exchange up to its end: credentials, an identity, or a failure. Errors: those of the wire.
Awaitable<Result<Exchange::Progress>> converse(SessionContext& context, Exchange& exchange,
                                               std::optional<std::string> initial_response, SaslWire& wire) {
  Exchange::Progress progress = exchange.begin(initial_response);
  for (;;) {
    if (progress.state == ProgressState::challenge) {
      wire.send_challenge(progress.challenge);
      auto line = co_await wire.read_line();
      if (!line) co_return tl::unexpected<Error>(std::move(line).error());
      progress = exchange.respond(*line);
      Secret(std::move(*line));  // wipes it
    } else if (progress.state == ProgressState::look_up) {
      auto answer = co_await context.services.auth.look_up_keys(std::move(progress.wanted), origin_of(context));
      if (answer) {
        progress = exchange.supply(std::move(*answer));
      } else {
        progress.state = ProgressState::failed;
        progress.error = std::move(answer).error();
      }
    } else {
      co_return progress;
    }
  }
}

// Whether somebody tried to log in, as opposed to a message that is malformed or a cancelled exchange.
bool is_login(const Error& error) { return error.kind != ErrorKind::bad_syntax; }

// What the mechanism has to say of its failure, which has been counted by now; the client's answer means nothing, and
// it may not come.
Awaitable<void> take_leave(std::string farewell, SaslWire& wire) {
  if (farewell.empty()) co_return;
  wire.send_challenge(farewell);
  auto line = co_await wire.read_line();
  if (line) Secret(std::move(*line));
}

// Whoever wonders why EXTERNAL is not offered finds it in the log.
void note_certificate(SessionContext& context, std::string_view mechanism) {
  if (!ascii::iequals(mechanism, "EXTERNAL")) return;
  const std::string why = client_certificate_problem(context.connection.transport().native_tls());
  if (!why.empty()) context.logger.info("client_certificate_refused", {{"reason", why}});
}

}  // namespace

Awaitable<Result<AccountPtr>> authenticate(SessionContext& context, std::string_view protocol, std::string mechanism,
                                           std::optional<std::string> initial_response, SaslWire& wire) {
  auto started = Exchange::start(mechanism, circumstances_of(context));
  if (!started) {
    note_certificate(context, mechanism);
    co_return tl::unexpected<Error>(std::move(started).error());
  }
  Exchange exchange = std::move(*started);
  const LoginWay way(protocol, exchange.mechanism());
  auto conversed = co_await converse(context, exchange, std::move(initial_response), wire);
  if (!conversed) co_return tl::unexpected<Error>(std::move(conversed).error());
  Exchange::Progress& end = *conversed;
  if (end.state == ProgressState::credentials) {
    const bool is_anonymous = end.credentials.proof == auth::Proof::nothing;
    auto account = co_await log_in(context, way, std::move(end.credentials));
    // RFC 4505 §2: what the client says of itself is for whoever looks after the server.
    if (account && is_anonymous) context.logger.info("anonymous", {{"trace", exchange.login()}});
    co_return account;
  }
  if (end.state == ProgressState::failed && !is_login(end.error)) {
    co_await take_leave(std::move(end.farewell), wire);
    co_return tl::unexpected<Error>(std::move(end.error));
  }
  Result<auth::Identity> identity = tl::unexpected<Error>(end.error);
  if (end.state == ProgressState::proven) identity = std::move(end.identity);
  auto account = co_await conclude_login(context, way, exchange.login(), std::move(identity));
  co_await take_leave(std::move(end.farewell), wire);
  co_return account;
}

}  // namespace postkeep::server
