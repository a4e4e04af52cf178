// STATUS data. RFC 9051 §7.3.4 and the extensions of commands/status.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/imap/commands/status.h"
#include "protocol/imap/writer.h"
#include "protocol/mail/ids.h"

namespace postkeep::imap {

struct StatusValue {
  StatusItem item = StatusItem::messages;
  std::variant<std::uint64_t, MailboxId> value;  // MailboxId for mailbox_id, a number for all others
};

void write_status(Writer& writer, std::string_view mailbox, const std::vector<StatusValue>& values);

}  // namespace postkeep::imap
