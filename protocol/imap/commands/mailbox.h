// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. RFC 9051 §6.3.4 to §6.3.8, RFC 6154 §3 (CREATE ... USE).
// Names are in wire form; CREATE's may end in the separator (RFC 9051 §6.3.4), which the handler drops.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/mailbox_name.h"

namespace postkeep::imap {

struct CreateArgs {
  std::string mailbox;
  std::vector<SpecialUse> uses;  // empty: none asked
};
// Error use_attribute for an attribute that is not known.
Result<CreateArgs> parse_create(Cursor& cursor);

// DELETE, SUBSCRIBE, UNSUBSCRIBE.
struct MailboxArgs {
  std::string mailbox;
};
Result<MailboxArgs> parse_mailbox_only(Cursor& cursor);

struct RenameArgs {
  std::string from;
  std::string to;
};
Result<RenameArgs> parse_rename(Cursor& cursor);

}  // namespace postkeep::imap
