// Lines of the Dovecot authentication protocol: fields with tabs between them. What a field cannot hold (tab, CR, LF,
// NUL and the escape octet 0x01 itself) is written as 0x01 and a letter. Used by message.cpp and reply.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::dovecot_auth {

// The octets that `text` stands for as a field.
std::string escape_field(std::string_view text);
// The other way; nullopt for an escape that nobody would write.
std::optional<std::string> unescape_field(std::string_view field);

// All fields of a line without its end, still escaped, at most `count_max`: the last one has the rest then.
std::vector<std::string_view> split_fields(std::string_view line, std::size_t count_max);

}  // namespace postkeep::dovecot_auth
