// FLAGS and PERMANENTFLAGS of the selected mailbox, and \Recent. RFC 9051 §7.3.5, §7.1; RFC 3501 §2.3.2.
// Called by SELECT, FETCH and the updates. Writes; reads nothing but the view.
#pragma once

#include "protocol/imap/responses/fetch.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// \Recent is told to IMAP4rev1 sessions alone, and is not among a message's Flags.
inline Recent recent_flag(const Context& context, Uid uid) {
  return !context.is_rev2() && context.selected->view.is_recent(uid) ? Recent::yes : Recent::no;
}

// "* FLAGS (...)" and "* OK [PERMANENTFLAGS (...)] ...".
void write_mailbox_flags(Context& context);

}  // namespace postkeep::imap
