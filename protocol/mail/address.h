// Addresses of From:, To: and their like. RFC 5322 §3.4 with the obsolete forms of §4.4, RFC 6532 (UTF-8),
// and whatever spam and old gateways write. Called by mime/envelope. Never fails: broken input gives the
// addresses that can be made out. (SMTP paths are stricter: lmtp/path.h.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postkeep {

// One entry of an address list, as ENVELOPE has them: a group is a start, its members, and an end.
// The strings are raw header octets with quoting, comments and folding removed; encoded words stay encoded.
struct Address {
  enum class Kind { mailbox, group_start, group_end };
  Kind kind = Kind::mailbox;
  std::string name;        // display name; of an old "user@host (Name)" form, the comment; may be empty
  std::string route;       // obsolete source route "@a,@b"; usually empty
  std::string local_part;  // or the group's name; empty if the header has none
  std::string domain;      // empty if the header has none ("root")
  bool operator==(const Address&) const = default;
};
using AddressList = std::vector<Address>;

// Entries read from one field; what comes after them is ignored. A mailing to more recipients than this
// does not fit other limits either.
inline constexpr std::size_t addresses_max = 4096;

// `value` is what stands after the colon, folded or not.
AddressList parse_address_list(std::string_view value);

}  // namespace postkeep
