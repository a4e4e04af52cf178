// What FETCH makes of a BODYSTRUCTURE, which it has ready-made: BODY, the same value without extension data (RFC 9051
// §7.5.2), and either for sessions to which message/global is no message.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::imap {

// How message/global is shown: with its envelope, structure and lines as message/rfc822 is, or, as RFC 3501 knows it
// not, like a part of any other type (RFC 9755 §6).
enum class GlobalParts { messages, plain };

// `body_structure` as write_bodystructure() wrote it; what cannot be understood is returned as it is.
std::string body_structure_with(std::string_view body_structure, GlobalParts global);
std::string without_extension_data(std::string_view body_structure, GlobalParts global = GlobalParts::messages);

}  // namespace postkeep::imap
