// CAPA, QUIT, STLS. RFC 2449 §5, RFC 1939 §4 and §6, RFC 2595 §4.
#include "protocol/pop3/reply.h"
#include "server/pop3/access.h"
#include "server/pop3/command_table.h"
#include "server/pop3/commands/handlers.h"
#include "server/runtime/switch_to_tls.h"

namespace postkeep::pop3 {

Answer run_capa(Context& context) {
  std::string& out = context.out();
  write_ok(out, "Capabilities follow");
  for (const std::string& line : capability_list(context)) (out += line) += "\r\n";
  write_end(out);
  co_return Completion::sent();
}

// In the transaction state this is the UPDATE state: the one place where POP3 deletes.
Answer run_quit(Context& context) {
  context.next = Next::log_out;
  if (!context.maildrop) co_return Completion("Bye");
  co_await context.store_seen();
  UidSet marked = context.maildrop->marked();
  const std::uint64_t count = marked.size();
  const Outcome deleted =
      co_await delete_messages(context.gateway(), context.account, context.maildrop->mailbox(), std::move(marked));
  if (!deleted) {
    context.log.error("delete_failed", {{"kind", to_string(deleted.error().kind)}, {"reason", deleted.error().detail}});
    co_return failure(deleted.error().kind, "Some deleted messages were not removed", deleted.error().detail);
  }
  context.log.info("logout", {{"retrieved", context.retrieved}, {"deleted", count}});
  co_return Completion("Bye");
}

Answer run_stls(Context& context) {
  if (context.connection.is_tls()) co_return failure(ErrorKind::bad_syntax, "TLS is active already");
  if (context.services.tls.current() == nullptr) co_return failure(ErrorKind::cannot, "There is no certificate");
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

}  // namespace postkeep::pop3
