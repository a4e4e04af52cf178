// What SEARCH shares with SORT and THREAD: the search itself.
#pragma once

#include <optional>

#include "protocol/imap/commands/search.h"
#include "protocol/mail/search_key.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// May this session name this charset? Once UTF8=ACCEPT is enabled SEARCH has none, and SORT and THREAD, which need one,
// have UTF-8 alone (RFC 9755 §3). A search that was to be saved and is refused by NO leaves "$" empty, one that is
// refused by BAD leaves it as it was (RFC 5182 §2.1). Errors: bad_syntax (BAD), bad_charset (NO).
enum class Saves { no, yes };
Outcome accept_charset(Context& context, NamedCharset named, NamedCharset when_utf8, Saves saves);

// The highest modseq of `uids`, which are in the view; none where there are none (RFC 7162 §3.1.5).
std::optional<ModSeq> highest_modseq(const Context& context, const UidSet& uids);

// The UIDs in the view that match, in batches; the view is brought up to date before, but for expunges. A key that
// mentions MODSEQ enables CONDSTORE, one with message numbers holds EXPUNGE back. Errors: those of
// AccountStore::search; unavailable at a shutdown.
server::Awaitable<Result<UidSet>> find_messages(Context& context, SearchKey key);

}  // namespace postkeep::imap
