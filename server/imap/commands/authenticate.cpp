// AUTHENTICATE. RFC 9051 §6.2.2, RFC 4959 (initial response), RFC 4422.
#include "auth/exchange.h"
#include "protocol/base/base64.h"
#include "protocol/imap/limits.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/login.h"

namespace postkeep::imap {

namespace {

using auth::Exchange;
using ProgressState = Exchange::Progress::State;

// The client's next line; whoever sends endless ones is ended by the time limit before login.
server::Awaitable<Result<std::string>> read_line(Context& context) {
  for (;;) {
    auto line = context.framer.next_line(limits::authenticate_line_bytes_max);
    if (!line) co_return tl::unexpected<Error>(std::move(line).error());
    if (*line) co_return std::move(**line);
    co_await context.read_more();
  }
}

// As auth/exchange takes it: base64, "=" for an empty one.
std::string wire_form(const Secret& initial_response) {
  return initial_response.empty() ? "=" : base64_encode(initial_response.reveal());
}

}  // namespace

Answer run_authenticate(Context& context, AuthenticateArgs arguments) {
  auto started = Exchange::start(arguments.mechanism, context.channel());
  if (!started) co_return tl::unexpected<Error>(std::move(started).error());
  Exchange exchange = std::move(*started);
  std::optional<std::string> initial;
  if (arguments.initial_response) initial = wire_form(*arguments.initial_response);
  Exchange::Progress progress = exchange.begin(initial);
  while (progress.state == ProgressState::challenge) {
    Writer out = context.out();
    write_continuation(out, progress.challenge);
    auto line = co_await read_line(context);
    if (!line) co_return tl::unexpected<Error>(std::move(line).error());
    progress = exchange.respond(*line);
    Secret(std::move(*line));  // wipes it
  }
  if (progress.state == ProgressState::failed) co_return tl::unexpected<Error>(std::move(progress.error));
  const std::string mechanism(exchange.mechanism());
  co_return co_await log_in(context, std::move(progress.credentials), mechanism);
}

}  // namespace postkeep::imap
