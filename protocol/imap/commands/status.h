// STATUS. RFC 9051 §6.3.11, RFC 3501 §6.3.10 (RECENT), RFC 7162 §3.1.7, RFC 7889 §4, RFC 8438, RFC 8474 §4.3,
// RFC 9208 §4.1.4.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

enum class StatusItem {
  messages,
  uid_next,
  uid_validity,
  unseen,
  deleted,
  size,
  recent,
  highest_modseq,
  mailbox_id,
  append_limit,
  deleted_storage,
};

std::string_view to_wire(StatusItem item);

struct StatusArgs {
  std::string mailbox;            // wire form
  std::vector<StatusItem> items;  // at least one, each once, in the client's order
};

Result<StatusArgs> parse_status(Cursor& cursor);
// "(MESSAGES UNSEEN)", for LIST ... RETURN (STATUS (...)) as well.
Result<std::vector<StatusItem>> parse_status_items(Cursor& cursor);

}  // namespace postkeep::imap
