// BODY from BODYSTRUCTURE: the same value without extension data. RFC 9051 §7.5.2. Called by FETCH, which has the
// BODYSTRUCTURE ready-made and need not open the message for BODY.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::imap {

// `body_structure` as write_bodystructure() wrote it; what cannot be understood is returned as it is.
std::string without_extension_data(std::string_view body_structure);

}  // namespace postkeep::imap
