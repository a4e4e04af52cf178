// See changed_name.h.
#include "server/imap/changed_name.h"

#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/list.h"

namespace postkeep::imap {

void tell_changed_name(Context& context, const MailboxName& name, const std::string& old,
                       std::vector<std::string> attributes) {
  if (!context.is_rev2() || name.is_inbox()) return;
  ListData data;
  data.attributes = std::move(attributes);
  data.separator = context.settings().mailbox.separator;
  data.mailbox = context.wire_name(name);
  if (data.mailbox == old || seeded(Fault::old_name_missing)) return;
  data.old_name = old;
  Writer out = context.out();
  write_list(out, data);
}

}  // namespace postkeep::imap
