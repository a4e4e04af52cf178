// Base64 (RFC 4648 §4) as SASL exchanges carry it. MIME bodies have their own, forgiving decoder.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep {

// With padding, without line ends.
std::string base64_encode(std::string_view bytes);

// Strict: a multiple of four characters, padding where due and nowhere else, unused bits zero, no white
// space. Error: bad_syntax.
Result<std::string> base64_decode(std::string_view text);

}  // namespace postkeep
