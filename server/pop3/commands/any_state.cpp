// CAPA, QUIT, STLS, UTF8, LANG. RFC 2449 §5, RFC 1939 §4 and §6, RFC 2595 §4, RFC 6856.
#include "protocol/base/seeded_fault.h"
#include "protocol/pop3/reply.h"
#include "server/pop3/access.h"
#include "server/pop3/command_table.h"
#include "server/pop3/commands/handlers.h"
#include "server/pop3/expiry.h"
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
  UidSet going = context.maildrop->marked();
  auto expired = co_await expired_messages(context);
  if (expired) {
    going = going.union_with(*expired);
  } else {  // they will go another time
    context.log.error("expiry_failed", {{"reason", expired.error().detail}});
  }
  if (seeded(Fault::quit_removes_nothing)) going = UidSet();
  const std::uint64_t count = going.size();
  const Outcome deleted =
      co_await delete_messages(context.gateway(), context.account, context.maildrop->mailbox(), std::move(going));
  if (!deleted) {
    context.log.error("delete_failed", {{"kind", to_string(deleted.error().kind)}, {"reason", deleted.error().detail}});
    co_return failure(deleted.error().kind, "Some deleted messages were not removed", deleted.error().detail);
  }
  context.log.info("logout", {{"retrieved", context.retrieved}, {"deleted", count}});
  co_return Completion("Bye");
}

Answer run_stls(Context& context) {
  if (context.connection.is_tls()) co_return failure(ErrorKind::bad_syntax, "TLS is active already");
  // RFC 6856 §2.1. What was said before TLS is forgotten, and the client would believe that it holds.
  if (context.utf8) co_return failure(ErrorKind::bad_syntax, "STLS has to come before UTF8");
  if (context.services.tls.current() == nullptr) co_return failure(ErrorKind::cannot, "There is no certificate");
  context.next = Next::start_tls;
  co_return Completion("Begin the TLS handshake now");
}

Answer run_utf8(Context& context) {
  context.utf8 = true;
  co_return Completion("UTF-8 enabled");
}

// There is one language. "*" is the administrator's choice, and a range with more subtags than a tag has finds it by
// leaving them out from the end (RFC 4647 §3.4).
Answer run_lang(Context& context, LangArgs arguments) {
  if (arguments.range.empty()) {
    write_ok(context.out(), "Languages follow");
    context.out() += "en English\r\n";
    write_end(context.out());
    co_return Completion::sent();
  }
  if (seeded(Fault::every_language) || arguments.range == "*" || arguments.range == "en" ||
      arguments.range.starts_with("en-")) {
    co_return Completion("en This is English");
  }
  co_return failure(ErrorKind::cannot, "This language is not spoken here");
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
