// SEARCH and UID SEARCH. RFC 9051 §6.4.4, RFC 5032 (WITHIN), RFC 7162 §3.1.5, RFC 8474 §5.4, RFC 8514.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/commands/partial.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/search_key.h"

namespace postkeep::imap {

// RETURN (...). "RETURN ()" means ALL and sets it.
struct SearchReturn {
  bool min = false;
  bool max = false;
  bool all = false;
  bool count = false;
  bool save = false;                    // RFC 5182
  std::optional<PartialRange> partial;  // RFC 9394; never with `all`
  bool only_saves() const { return save && !min && !max && !all && !count && !partial; }
};

// The charset that SEARCH, SORT or THREAD names. What becomes of `unknown` the handler says: NO [BADCHARSET], or BAD
// once UTF8=ACCEPT is enabled; and a failing SAVE also empties the saved result (RFC 5182 §2.1).
enum class NamedCharset { none, utf8, other, unknown };
NamedCharset named_charset(std::string_view name);

struct SearchArgs {
  enum class Form {
    classic,   // no RETURN: rev1 answers SEARCH, rev2 answers ESEARCH with ALL
    extended,  // RETURN (...): answers ESEARCH
  };
  Form form = Form::classic;
  SearchReturn returns;
  NamedCharset charset = NamedCharset::none;
  SearchKey key;  // and_ of the keys if there are several; its strings are UTF-8
};

// Errors: bad_syntax.
Result<SearchArgs> parse_search(Cursor& cursor);

// All keys that have a name, in upper case; and is this one (in any case) followed by a string? FROM is, SEEN is not.
const std::vector<std::string_view>& search_key_names();
bool takes_string(std::string_view key_name);

// search-return-opts, "(MIN COUNT)", behind "RETURN"; begins at the space. For SORT too.
Result<SearchReturn> parse_search_return(Cursor& cursor);

// The search-program without its CHARSET, for SORT and THREAD: charset "" means UTF-8.
Result<SearchKey> parse_search_keys(Cursor& cursor, const std::string& charset);

}  // namespace postkeep::imap
