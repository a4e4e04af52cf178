// Whose mail an address is: users by their whole name or without a detail (`user+detail`), aliases, and who gets all
// that a domain has nobody for. The one place that decides: LMTP asks it at RCPT, and so does whoever looks recipients
// up for an MTA. Pure: users are asked for through a function. RFC 5233 §4 has the words: user, detail.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/alias_table.h"
#include "protocol/base/result.h"

namespace postkeep::auth {

inline constexpr std::size_t alias_depth_max = 10;            // aliases of aliases
inline constexpr std::size_t resolved_recipients_max = 1000;  // users of one address

// Where mail goes: `detail` is what stood after the delimiter, empty if nothing did.
struct Recipient {
  std::string user;  // the name as the directory has it
  std::string detail;
  bool operator==(const Recipient&) const = default;
};

// All whom an address means: at least one, nobody twice.
struct RecipientSet {
  std::vector<Recipient> recipients;
  std::string problem;  // for the log: targets of aliases that are nobody; empty if there are none
};

// How addresses are taken apart.
struct RecipientRules {
  std::vector<std::string> domains;  // ours, besides localhost
  // Any of these octets ends the user's name, the first that comes. Empty: there are no details.
  std::string delimiters = "+";
  std::shared_ptr<const AliasTable> aliases;  // may be null
};

// Whether a domain is one of `domains` or localhost; letters without case.
bool is_own_domain(std::string_view domain, const std::vector<std::string>& domains);

// The user of exactly that name, or nullopt. Errors go through.
using FindUser = std::function<Result<std::optional<std::string>>(std::string_view name)>;

// The user whom an address (RFC 5321 §4.1.2 Mailbox without quotes, or a name without domain) means, aliases left out:
// the whole name; else, where the domain is ours, the local part alone; else both again without the detail. Letters
// compare as in users' names, without case; the detail is as it was written. Errors: not_found; those of `find`.
Result<Recipient> resolve_user(std::string_view address, const RecipientRules& rules, const FindUser& find);

// The same with aliases. Of each of the forms that resolve_user() tries, an alias comes before a user, and `@domain`
// after all. A detail goes on to targets that have none of their own. An alias that names itself means the user of
// that name ("ann: ann, ben"). Errors besides: unavailable (aliases that lead to nobody but each other, or to too
// many: mail can wait until the file is put right).
Result<RecipientSet> resolve_recipients(std::string_view address, const RecipientRules& rules, const FindUser& find);

}  // namespace postkeep::auth
