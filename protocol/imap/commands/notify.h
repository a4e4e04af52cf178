// NOTIFY. RFC 5465 §3.1, §8. Grammar and the rules that need no session: which events go together, and what stands
// with SELECTED. Which events the server offers is known here too, since an unknown name is no syntax error.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/commands/fetch.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

// What somebody wants to be told of one kind of mailboxes; nothing for NONE.
struct NotifyEvents {
  bool messages = false;  // MessageNew and MessageExpunge: neither stands without the other (RFC 5465 §5)
  bool flags = false;     // FlagChange; implies messages
  bool mailbox_name = false;
  bool subscription = false;
  std::vector<FetchItem> fetch;  // of new messages; empty: not asked. With the selected mailbox only.
};

struct NotifyGroup {
  enum class Filter { selected, selected_delayed, inboxes, personal, subscribed, subtree, mailboxes };
  Filter filter = Filter::selected;
  std::vector<std::string> names;  // of subtree and mailboxes, in wire form: at least one, no wildcards
  NotifyEvents events;

  bool is_selected() const { return filter == Filter::selected || filter == Filter::selected_delayed; }
};

struct NotifyArgs {
  std::vector<NotifyGroup> groups;  // in the client's order; empty: NOTIFY NONE
  bool status = false;              // tell the state of each mailbox now
  bool unsupported = false;         // an event was named that is not offered: NO [BADEVENT ...] is due
};

Result<NotifyArgs> parse_notify(Cursor& cursor);

// The events that are offered, for BADEVENT.
const std::vector<std::string>& notify_event_names();

}  // namespace postkeep::imap
