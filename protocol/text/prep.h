// SASLprep, the form in which names and passwords are compared and hashed. RFC 4013 over RFC 3454, by ICU's tables.
// Called by auth/password_hash and auth/authenticator. Pure.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::text {

// What the text is for (RFC 3454 §7). A query may have code points that no Unicode knows yet: it is only compared. In
// what is stored they are refused, since a later Unicode could normalise them otherwise. Code points that came after
// Unicode 3.2, which is as far as RFC 4013 knows, are stored as they are, as RFC 8265 §4.2 has it: emoji would be
// refused otherwise.
enum class Prep { query, stored };

// Errors: cannot (ill-formed UTF-8; control or other prohibited code points, in what is stored unassigned ones; mixed
// directions).
Result<std::string> sasl_prep(std::string_view utf8, Prep prep = Prep::query);

}  // namespace postkeep::text
