// STARTTLS. RFC 9051 §6.2.1, §11.1. Its row is a barrier: dispatch has seen that nothing was sent behind it.
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/runtime/switch_to_tls.h"

namespace postkeep::imap {

Answer run_starttls(Context& context) {
  if (context.connection.is_tls()) {
    co_return failure(ErrorKind::bad_syntax, "TLS is active already");
  }
  context.next = Next::start_tls;
  co_return Completion("Begin the TLS handshake now");
}

server::Awaitable<void> switch_to_tls(Context& context) {
  context.next = Next::read_command;
  const bool is_secret = co_await server::switch_to_tls(context.host);
  if (is_secret) {
    context.forget_everything();
  } else {
    context.next = Next::log_out;
  }
}

}  // namespace postkeep::imap
