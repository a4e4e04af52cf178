#include "protocol/pop3/command.h"

#include <algorithm>
#include <limits>

#include "protocol/base/ascii.h"
#include "protocol/base/seeded_fault.h"

namespace postkeep::pop3 {
namespace {

constexpr std::size_t line_end_octets = 2;

tl::unexpected<Error> bad(std::string text) { return failure(ErrorKind::bad_syntax, std::move(text)); }

bool carries_credentials(std::string_view keyword) {
  return keyword == "AUTH" || keyword == "PASS" || keyword == "APOP";
}

// Up to the next blank; takes it and the blanks around it off `text`. More blanks than one are forgiven.
std::string_view take_word(std::string_view& text) {
  while (!text.empty() && ascii::is_wsp(text.front())) text.remove_prefix(1);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  while (!text.empty() && ascii::is_wsp(text.front())) text.remove_prefix(1);
  return word;
}

template <class Number>
std::optional<Number> parse_number(std::string_view digits) {
  if (!ascii::all(digits, ascii::is_digit)) return std::nullopt;
  constexpr std::uint64_t largest = std::numeric_limits<Number>::max();
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (largest - digit) / 10) return static_cast<Number>(largest);
    value = value * 10 + digit;
  }
  return static_cast<Number>(value);
}

// RFC 4647 §2.1: subtags of one to eight letters, behind the first of digits too.
bool is_language_range(std::string_view range) {
  constexpr std::size_t subtag_octets_max = 8;
  if (range == "*") return true;
  bool is_first = true;
  for (;;) {
    const std::size_t end = std::min(range.find('-'), range.size());
    const std::string_view subtag = range.substr(0, end);
    if (subtag.empty() || subtag.size() > subtag_octets_max) return false;
    if (!ascii::all(subtag, [is_first](char c) { return ascii::is_alpha(c) || (!is_first && ascii::is_digit(c)); })) {
      return false;
    }
    if (end == range.size()) return true;
    range.remove_prefix(end + 1);
    is_first = false;
  }
}

}  // namespace

Result<CommandLine> parse_command_line(std::string_view line) {
  const std::string_view keyword = line.substr(0, line.find(' '));
  if (keyword.size() < 3 || keyword.size() > 4 || !ascii::all(keyword, ascii::is_alnum)) {
    return bad("This is no POP3 command");
  }
  CommandLine command;
  command.keyword = ascii::to_upper(keyword);
  if (line.size() + line_end_octets > command_line_octets_max && !carries_credentials(command.keyword)) {
    return bad("Line too long");
  }
  if (keyword.size() < line.size()) command.arguments = line.substr(keyword.size() + 1);
  return command;
}

Outcome parse_nothing(std::string_view arguments) {
  if (!take_word(arguments).empty()) return bad("This command takes no argument");
  return {};
}

Result<UserArgs> parse_user(std::string_view arguments) {
  while (!arguments.empty() && ascii::is_wsp(arguments.back())) arguments.remove_suffix(1);
  if (arguments.empty()) return bad("USER needs a name");
  UserArgs out;
  out.name = arguments;
  return out;
}

Result<PassArgs> parse_pass(std::string_view arguments) {
  if (arguments.empty()) return bad("PASS needs a password");
  PassArgs out;
  if (seeded(Fault::password_to_blank)) arguments = take_word(arguments);
  out.password = Secret(std::string(arguments));
  return out;
}

// RFC 1939 §7. The digest has no space; a name may.
Result<ApopArgs> parse_apop(std::string_view arguments) {
  constexpr std::size_t digits = 32;
  const std::size_t space = arguments.rfind(' ');
  if (space == std::string_view::npos || space == 0) return bad("The syntax is APOP name digest");
  const std::string_view digest = arguments.substr(space + 1);
  const auto is_digit = [](char c) { return ascii::hex_value(c) >= 0; };
  if (digest.size() != digits || !ascii::all(digest, is_digit)) return bad("A digest is 32 hexadecimal digits");
  ApopArgs out;
  out.name = arguments.substr(0, space);
  out.digest = Secret(ascii::to_lower(digest));
  return out;
}

Result<AuthArgs> parse_auth(std::string_view arguments) {
  AuthArgs out;
  out.mechanism = take_word(arguments);
  const std::string_view response = take_word(arguments);
  if (!response.empty()) out.initial_response = std::string(response);
  if (!arguments.empty()) return bad("The syntax is AUTH mechanism [initial-response]");
  return out;
}

Result<MessageArgs> parse_message(std::string_view arguments) {
  const auto number = parse_number<std::uint32_t>(take_word(arguments));
  if (!number || !arguments.empty()) return bad("This command needs a message number");
  MessageArgs out;
  out.number = *number;
  return out;
}

Result<ListArgs> parse_list(std::string_view arguments) {
  ListArgs out;
  const std::string_view word = take_word(arguments);
  if (word.empty()) return out;
  out.number = parse_number<std::uint32_t>(word);
  if (!out.number || !arguments.empty()) return bad("The argument is a message number, or there is none");
  return out;
}

Result<TopArgs> parse_top(std::string_view arguments) {
  const auto number = parse_number<std::uint32_t>(take_word(arguments));
  const auto lines = parse_number<std::uint64_t>(take_word(arguments));
  if (!number || !lines || !arguments.empty()) return bad("The syntax is TOP message lines");
  TopArgs out;
  out.number = *number;
  out.lines = *lines;
  return out;
}

Result<LangArgs> parse_lang(std::string_view arguments) {
  LangArgs out;
  const std::string_view range = take_word(arguments);
  if (!arguments.empty() || (!range.empty() && !is_language_range(range))) return bad("This is no language range");
  out.range = ascii::to_lower(range);
  return out;
}

}  // namespace postkeep::pop3
