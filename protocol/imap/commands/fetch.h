// FETCH and UID FETCH. RFC 9051 §6.4.5, RFC 3501 §6.4.5 (RFC822 items), RFC 3516 (BINARY), RFC 7162 §3.1.4,
// §3.2.6, RFC 8474 §5, RFC 8514, RFC 8970 (PREVIEW), RFC 9394 (PARTIAL).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/commands/partial.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/uid_set.h"
#include "protocol/mime/section.h"

namespace postkeep::imap {

// One thing to fetch. ALL, FAST and FULL are already replaced by what they stand for.
struct FetchItem {
  enum class Kind {
    envelope,
    flags,
    internal_date,
    rfc822,         // as BODY[], under its own name
    rfc822_header,  // as BODY.PEEK[HEADER]
    rfc822_size,
    rfc822_text,  // as BODY[TEXT]
    body,         // BODY: structure without extension data
    body_structure,
    uid,
    body_section,    // BODY[section]<partial>
    binary_section,  // BINARY[part]<partial>
    binary_size,     // BINARY.SIZE[part]
    modseq,
    email_id,
    thread_id,
    save_date,
    preview,       // as much work as it takes
    preview_lazy,  // PREVIEW (LAZY)
  };
  enum class Peek { no, yes };

  Kind kind = Kind::flags;
  Peek peek = Peek::no;   // only body_section and binary_section can be without; see sets_seen()
  mime::Section section;  // for the *_section and binary_size kinds
  std::optional<mime::Partial> partial;

  // Does fetching this set \Seen?
  bool sets_seen() const;
  bool operator==(const FetchItem&) const = default;
};

struct FetchArgs {
  SequenceSet set;
  std::vector<FetchItem> items;  // at least one, in the client's order, each once
  std::optional<std::uint64_t> changed_since;
  std::optional<PartialRange> partial;  // RFC 9394 §3.3: only in UID FETCH: the handler checks
  bool vanished = false;                // only in UID FETCH with changed_since and QRESYNC: the handler checks
};

Result<FetchArgs> parse_fetch(Cursor& cursor);

// "(" fetch-att *(SP fetch-att) ")", as other commands have it; no macros. At least one item, each once.
Result<std::vector<FetchItem>> parse_fetch_item_list(Cursor& cursor);

}  // namespace postkeep::imap
