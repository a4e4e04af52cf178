// UNAUTHENTICATE. RFC 8437. The connection goes on for another user: all is forgotten but TLS and what the client
// called itself (ID), which says nothing of the user. Commands may be sent behind it at once. Under COMPRESS they are
// read if the client's stream ends (a final block) behind the command; otherwise it has to wait for the reply.
#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

Answer run_unauthenticate(Context& context) {
  context.log.info("unauthenticated");
  context.leave_mailbox();
  context.next = Next::unauthenticate;
  co_return Completion("Who is next?");
}

server::Awaitable<void> leave_user(Context& context) {
  context.next = Next::read_command;
  co_await context.connection.flush();
  if (context.connection.is_compressed()) context.framer.feed(context.connection.stop_deflate());
  context.leave_account();
}

}  // namespace postkeep::imap
