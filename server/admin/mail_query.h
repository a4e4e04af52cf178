// The QUERY of the commands about mail: IMAP's search keys (RFC 9051 §6.4.4), as people type them into a shell. Pure.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/search_key.h"

namespace postkeep::admin {

// One word is a query as it stands. Of several, those that follow a key with a text (FROM, SUBJECT...) are that text
// whatever they hold, since the shell has taken their quotes away: subject "two words".
std::string join_query(const std::vector<std::string>& words);

// Errors: bad_syntax with the place, what may have been meant, and an example; cannot for keys that mean something only
// to a mail program's session (NEW, OLD, RECENT, $).
Result<SearchKey> parse_query(const std::string& query);

}  // namespace postkeep::admin
