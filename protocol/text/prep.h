// SASLprep, the form in which passwords are compared and hashed. RFC 4013 over RFC 3454, by ICU's tables.
// Called by auth/password_hash. Pure.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::text {

// Code points that Unicode 3.2 did not know pass through, as RFC 3454 §7 has it for queries; emoji would be
// refused otherwise. Errors: cannot (ill-formed UTF-8, control or other prohibited code points, mixed directions).
Result<std::string> sasl_prep(std::string_view utf8);

}  // namespace postkeep::text
