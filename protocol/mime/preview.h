// The first words of a message, for lists of messages. RFC 8970 §3.3. Pure; called by FETCH.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::mime {

inline constexpr std::size_t preview_characters_max = 200;       // RFC 8970 §3.3
inline constexpr std::size_t preview_source_bytes = 128 * 1024;  // of a message that are looked at

// `start` is the message from its first octet, as much as is at hand. UTF-8 without line ends or control characters; ""
// where there is no text: encrypted, only pictures, or further back. Quoted lines of a plain text are left out.
std::string preview_of(std::string_view start);

}  // namespace postkeep::mime
