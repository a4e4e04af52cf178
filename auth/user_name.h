// The names of users: what is allowed, and when two are the same. Used by the user database, the
// authenticator and the admin commands. Pure.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::auth {

// `name` or `name@domain`, in NFC, the domain in lower case. Errors: cannot, with the reason: empty, not
// UTF-8, control characters, spaces, one of / \ " < > ( ) , ; :, a leading '.' or '-', more than one '@', too long.
Result<std::string> checked_user_name(std::string_view given);

// Two names with the same key are the same user: NFC, case folded. Never fails; ill-formed input gets a key
// that no user has.
std::string user_key(std::string_view name);

}  // namespace postkeep::auth
