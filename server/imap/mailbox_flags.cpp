// See mailbox_flags.h.
#include "server/imap/mailbox_flags.h"

#include <string>
#include <vector>

#include "protocol/imap/responses/mailbox_data.h"
#include "protocol/imap/responses/state.h"

namespace postkeep::imap {

void write_mailbox_flags(Context& context) {
  Flags flags;
  flags.set_system_bits(31);
  const std::vector<std::string>& keywords = context.selected->view.messages().facts().keywords;
  for (const std::string& keyword : keywords) flags.add_keyword(keyword);
  const bool room = keywords.size() < context.settings().limits.keywords;
  Writer out = context.out();
  write_flags(out, flags);
  if (context.selected->access == Access::read_only) {
    write_untagged(out, Condition::ok, ResponseCode::permanent_flags(Flags(), ResponseCode::NewKeywords::no),
                   "The mailbox is open for reading only");
  } else {
    // "\\*" goes when no keyword more may be made (RFC 9051 §7.1).
    const auto more = room ? ResponseCode::NewKeywords::yes : ResponseCode::NewKeywords::no;
    write_untagged(out, Condition::ok, ResponseCode::permanent_flags(flags, more), "These may be stored");
  }
}

}  // namespace postkeep::imap
