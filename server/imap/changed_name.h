// A mailbox's name is not what the client wrote: IMAP4rev2 wants that told (OLDNAME, RFC 9051 §6.3.9.7). Called by the
// commands that take names.
#pragma once

#include <string>
#include <vector>

#include "server/imap/context.h"

namespace postkeep::imap {

// "* LIST (attributes) "/" name (OLDNAME (old))", if the session is IMAP4rev2 and the two differ. INBOX may be written
// in any case.
void tell_changed_name(Context& context, const MailboxName& name, const std::string& old,
                       std::vector<std::string> attributes = {});

}  // namespace postkeep::imap
