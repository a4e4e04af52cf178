#include "server/runtime/sasl_dialogue.h"

#include <utility>

#include "auth/exchange.h"

namespace postkeep::server {

using auth::Exchange;
using ProgressState = Exchange::Progress::State;

Awaitable<Result<AccountPtr>> authenticate(SessionContext& context, std::string_view protocol, std::string mechanism,
                                           std::optional<std::string> initial_response, SaslWire& wire) {
  auto started = Exchange::start(mechanism, channel_of(context));
  if (!started) co_return tl::unexpected<Error>(std::move(started).error());
  Exchange exchange = std::move(*started);
  const LoginWay way(protocol, exchange.mechanism());
  Exchange::Progress progress = exchange.begin(initial_response);
  while (progress.state == ProgressState::challenge) {
    wire.send_challenge(progress.challenge);
    auto line = co_await wire.read_line();
    if (!line) co_return tl::unexpected<Error>(std::move(line).error());
    progress = exchange.respond(*line);
    Secret(std::move(*line));  // wipes it
  }
  if (progress.state == ProgressState::failed) co_return tl::unexpected<Error>(std::move(progress.error));
  co_return co_await log_in(context, way, std::move(progress.credentials));
}

}  // namespace postkeep::server
