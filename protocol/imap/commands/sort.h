// SORT and UID SORT. RFC 5256 §3, §5; RFC 5957 (DISPLAYFROM, DISPLAYTO); RFC 5267 §3 (RETURN).
#pragma once

#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/commands/search.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/search_key.h"
#include "protocol/mail/sort_order.h"

namespace postkeep::imap {

struct SortArgs {
  SearchArgs::Form form = SearchArgs::Form::classic;  // classic answers SORT, extended ESEARCH
  SearchReturn returns;
  std::vector<SortCriterion> criteria;  // at least one, at most limits::sort_criteria_max
  NamedCharset charset = NamedCharset::none;
  SearchKey key;
};

// Errors: bad_syntax.
Result<SortArgs> parse_sort(Cursor& cursor);

// search-criteria of SORT and THREAD, to the command's end: a charset, which is not optional here, and search keys.
// They are read also where the charset is unknown: they may be wrong as well.
struct CharsetAndKeys {
  NamedCharset charset = NamedCharset::none;
  SearchKey key;
};
Result<CharsetAndKeys> parse_charset_and_keys(Cursor& cursor);

}  // namespace postkeep::imap
