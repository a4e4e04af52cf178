// ENABLE. RFC 9051 §6.3.1, RFC 5161. Which capabilities can be enabled stands in their rows.
#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/capability.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/extensions.h"

namespace postkeep::imap {

Answer run_enable(Context& context, EnableArgs arguments) {
  std::vector<std::string> enabled;
  for (const std::string& wanted : arguments.capabilities) {
    bool known = false;
    for (const CapabilityRow& row : capabilities()) {
      if (row.enable == nullptr || !is_token(row, wanted) || is_hidden(context, row.token)) continue;
      known = true;
      if (row.enable(context)) enabled.emplace_back(row.token);
    }
    if (!known && seeded(Fault::unknown_enable_is_bad)) co_return failure(ErrorKind::bad_syntax, "Unknown capability");
  }
  if (context.enabled.rev2 && seeded(Fault::enabled_again)) enabled = {"IMAP4rev2"};
  if (enabled.empty() && seeded(Fault::enabled_only_if_any)) co_return Completion("Nothing enabled");
  Writer out = context.out();
  write_enabled(out, enabled);
  co_return Completion("Enabled what is known");
}

}  // namespace postkeep::imap
