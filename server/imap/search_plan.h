// SearchPlan: a SEARCH key in terms that storage understands. Takes out what only this session knows (message
// numbers, \Recent, "*", "$") and answers what the view can answer without a storage call: flags, keywords,
// UIDs, MODSEQ. RFC 9051 §6.4.4, RFC 5182. Pure. Used by commands/search.cpp.
#pragma once

#include <optional>

#include "protocol/mail/search_key.h"
#include "server/imap/mailbox_view.h"

namespace postkeep::imap {

struct SearchPlan {
  UidSet candidates;                 // no message outside can match; no ghosts (RFC 2180 §4.3)
  std::optional<SearchKey> residue;  // to be asked of storage for the candidates; none: all of them match
};

// Is a key of this kind anywhere in it?
bool mentions(const SearchKey& key, SearchKey::Kind kind);
// Does it name messages by number? "$" does not.
bool has_message_numbers(const SearchKey& key);

// `saved` is the session's "$".
SearchPlan plan_search(SearchKey key, const MailboxView& view, const UidSet& saved);

}  // namespace postkeep::imap
