// TextFile: the common shape of our small files among the mail: lines of "<key> <value>" under a line with the
// file's kind and version, closed by a checksum. Made to be read by people.
//
//   postkeep-mailbox 1
//   uid-validity 1700000000
//   checksum 1f3a5b7c9d0e2f40
//
// The checksum is the first 16 hex digits of the SHA-256 of all octets above it (`head -n -1 | sha256sum`).
// Pure. Used by folder_file and intent; its words and checked lines also by record_file and accounts_in_use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep::storage::maildir {

using Lines = std::vector<std::pair<std::string, std::string>>;  // key, value; in order

// The file's text. Values may be anything: what would break a line is written as %XX.
std::string render_text_file(std::string_view kind, int version, const Lines& lines);
// The inverse. Errors: corruption, with file kind, line and reason in the detail: no or wrong checksum, other kind,
// other version, a line without key.
Result<Lines> parse_text_file(std::string_view kind, int version, std::string_view text);

// A word of a value: %XX for octets below 0x20, 0x7f, '%' and spaces; "%" if it is empty.
std::string escape_word(std::string_view value);
void append_word(std::string& out, std::string_view value);  // the same behind what is there
// nullopt for a '%' that is not followed by two hex digits ("%" alone is the empty word).
std::optional<std::string> unescape(std::string_view text);

// "<kind> line <n>: <reason>" or without line if 0.
tl::unexpected<Error> damaged(std::string_view kind, std::size_t line, std::string_view reason);

// A line that carries its own checksum, so that one that a power cut tore is known for what it is:
// "<text> ~1f3a5b7c\n".
std::string checked_line(std::string text);
// The text of such a line, given without its line end; nullopt if it was damaged.
std::optional<std::string_view> text_of_checked_line(std::string_view line);

// Cuts the next word off `text`; "" at the end.
std::string_view take_word(std::string_view& text);

}  // namespace postkeep::storage::maildir
