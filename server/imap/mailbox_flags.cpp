// See mailbox_flags.h.
#include "server/imap/mailbox_flags.h"

#include <string>

#include "protocol/imap/responses/mailbox_data.h"
#include "protocol/imap/responses/state.h"

namespace postkeep::imap {

void write_mailbox_flags(Context& context) {
  Flags flags;
  flags.set_system_bits(31);
  for (const std::string& keyword : context.selected->view.messages().facts().keywords) flags.add_keyword(keyword);
  Writer out = context.out();
  write_flags(out, flags);
  if (context.selected->access == Access::read_only) {
    write_untagged(out, Condition::ok, ResponseCode::permanent_flags(Flags(), ResponseCode::NewKeywords::no),
                   "The mailbox is open for reading only");
  } else {
    write_untagged(out, Condition::ok, ResponseCode::permanent_flags(flags, ResponseCode::NewKeywords::yes),
                   "Flags and keywords may be stored");
  }
}

}  // namespace postkeep::imap
