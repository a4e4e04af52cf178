// POP3 commands: one line to a keyword, and its arguments to typed values. RFC 1939 §3, RFC 2449 §3 and §4, RFC 5034
// §5, RFC 6856 §3. Called by server/pop3 with each line, without its end. Knows no session state and not which commands
// there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::pop3 {

// RFC 2449 §4, with the line's end. Lines that carry credentials may be as long as the framer takes: clients send
// tokens as initial responses of AUTH, and RFC 5034 §4 sets no limit to the lines that follow.
inline constexpr std::size_t command_line_octets_max = 255;
inline constexpr std::size_t credentials_line_octets_max = 65'536;

// Views into the line.
struct CommandLine {
  std::string keyword;         // in capitals
  std::string_view arguments;  // all behind the one space; empty if there is nothing
};
// Errors: bad_syntax (too long; no keyword of three or four letters and digits).
Result<CommandLine> parse_command_line(std::string_view line);

struct UserArgs {
  std::string name;  // the rest of the line, blanks inside included
};
struct PassArgs {
  Secret password;  // the rest of the line as it is (RFC 1939 §7: blanks may be part of it)
};
struct ApopArgs {
  std::string name;  // blanks inside included
  Secret digest;     // in small letters; not secret, but as good as a password to whoever can stop the client
};
struct AuthArgs {
  std::string mechanism;                        // empty: the client asks for the list, as some old ones do
  std::optional<std::string> initial_response;  // base64, or "=" for an empty one
};
struct MessageArgs {
  std::uint32_t number = 0;
};
struct ListArgs {
  std::optional<std::uint32_t> number;
};
struct TopArgs {
  std::uint32_t number = 0;
  std::uint64_t lines = 0;
};

struct LangArgs {
  std::string range;  // in small letters: a basic language range (RFC 4647 §2.1), or "*"; empty: the list is wanted
};

// Errors: bad_syntax. A number too large for its type becomes the largest: there is no such message, or all lines.
Outcome parse_nothing(std::string_view arguments);
Result<UserArgs> parse_user(std::string_view arguments);
Result<PassArgs> parse_pass(std::string_view arguments);
Result<ApopArgs> parse_apop(std::string_view arguments);
Result<AuthArgs> parse_auth(std::string_view arguments);
Result<MessageArgs> parse_message(std::string_view arguments);
Result<ListArgs> parse_list(std::string_view arguments);
Result<TopArgs> parse_top(std::string_view arguments);
Result<LangArgs> parse_lang(std::string_view arguments);

}  // namespace postkeep::pop3
