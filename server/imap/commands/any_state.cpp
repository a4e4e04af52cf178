// CAPABILITY, NOOP, CHECK, LOGOUT. RFC 9051 §6.1; RFC 3501 §6.4.1 (CHECK).
#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/capability.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/extensions.h"

namespace postkeep::imap {

Answer run_capability(Context& context) {
  Writer out = context.out();
  write_capability(out, capability_list(context));
  if (seeded(Fault::capability_twice)) write_capability(out, capability_list(context));
  co_return Completion("Capabilities listed");
}

Answer run_noop(Context& context) {
  if (context.selected) {
    // Dispatch reports what changed; this takes in what other programs did where their folder is not watched. A
    // mailbox that is gone is dispatch's to report too.
    const Outcome refreshed = co_await context.gateway().refresh(context.account, context.selected->mailbox.id);
    if (!refreshed) context.log.debug("refresh_failed", {{"error", refreshed.error().detail}});
  }
  co_return Completion("Nothing done");
}

Answer run_logout(Context& context) {
  Writer out = context.out();
  if (!seeded(Fault::bye_missing)) write_untagged(out, Condition::bye, std::nullopt, "Logging out");
  context.next = Next::log_out;
  co_return Completion("Logged out");
}

void send_continuation(Context& context) {
  if (!context.framer.continuation_due()) return;
  Writer out = context.out();
  write_continuation(out, "OK");
}

}  // namespace postkeep::imap
