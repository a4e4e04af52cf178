// FETCH items: where each one's value comes from, and how it is written. RFC 9051 §6.4.5, §7.5.2. The table of item
// kinds is source_of(). Pure but for the writer. Used by commands/fetch.cpp.
#pragma once

#include <vector>

#include "protocol/imap/command.h"
#include "protocol/imap/commands/fetch.h"
#include "protocol/imap/responses/fetch.h"
#include "server/imap/fetch_sections.h"
#include "storage/mailbox_version.h"
#include "storage/types.h"

namespace postkeep::imap {

// What one FETCH command needs, found out once.
struct FetchPlan {
  std::vector<FetchItem> items;  // in the order of the answer; UID put in front for UID FETCH
  storage::FetchWants wants;
  bool needs_rows = false;      // anything of `wants`
  bool needs_messages = false;  // some section is not in the cached headers: message files are opened
  bool sets_seen = false;
};

// Errors: bad_syntax for an item that this server does not offer.
Result<FetchPlan> plan_fetch(std::vector<FetchItem> items, UidForm uid);

// A section that the cached headers of a row answer: HEADER.FIELDS of cached names alone.
bool is_in_cached_headers(const FetchItem& item);
// Appends its octets. `cached_headers` as MessageRow has them.
void append_cached_headers(const FetchItem& item, std::string_view cached_headers, std::string& out);

// Writes an item that is no section.
void write_simple_item(FetchResponse& response, const FetchItem& item, const storage::MessageState& state,
                       const Flags& flags, Recent recent, const storage::MessageRow& row);

}  // namespace postkeep::imap
