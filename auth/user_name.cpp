#include "auth/user_name.h"

#include <algorithm>

#include "auth/limits.h"
#include "protocol/base/ascii.h"
#include "protocol/text/casemap.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

// The length of the path component that storage/ makes of a name: what is not plainly safe takes three octets.
std::size_t encoded_length(std::string_view name) {
  std::size_t length = 0;
  for (const char c : name) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '@';
    length += safe ? 1 : 3;
  }
  return length;
}

bool is_space_or_control(char32_t c) {
  if (c <= 0x20 || (c >= 0x7F && c <= 0xA0)) return true;
  // Unicode's spaces, line ends, invisible and direction marks: two names must not look the same by them.
  return c == 0x1680 || (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F) ||
         c == 0x3000 || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFD) || c == 0xAD;
}

Outcome check_characters(std::string_view name) {
  for (std::string_view rest = name; !rest.empty();) {
    const text::CodePoint point = text::first_code_point(rest);
    rest.remove_prefix(point.length);
    if (is_space_or_control(point.value)) {
      return failure(ErrorKind::cannot, "A user name cannot have spaces, control or invisible characters");
    }
    if (point.value < 0x80 &&
        std::string_view("/\\\"<>(),;:*%").find(static_cast<char>(point.value)) != std::string_view::npos) {
      return failure(ErrorKind::cannot, "A user name cannot have any of / \\ \" < > ( ) , ; : * %");
    }
  }
  return {};
}

}  // namespace

Result<std::string> checked_user_name(std::string_view given) {
  if (given.empty()) return failure(ErrorKind::cannot, "A user name cannot be empty");
  if (given.size() > login_octets_max) return failure(ErrorKind::cannot, "The user name is too long");
  if (!text::is_valid_utf8(given)) return failure(ErrorKind::cannot, "A user name must be UTF-8");
  std::string name = text::to_nfc(given);
  TRY(check_characters(name));
  if (name.front() == '.' || name.front() == '-') {
    return failure(ErrorKind::cannot, "A user name cannot begin with '.' or '-'");
  }
  const std::size_t at = name.find('@');
  if (at != std::string::npos) {
    if (at == 0 || at + 1 == name.size() || name.find('@', at + 1) != std::string::npos) {
      return failure(ErrorKind::cannot, "A user name is `name` or `name@domain`");
    }
    name = name.substr(0, at + 1) + ascii::to_lower(std::string_view(name).substr(at + 1));
  }
  if (encoded_length(name) > user_name_encoded_octets_max) {
    return failure(ErrorKind::cannot, "The user name is too long");
  }
  return name;
}

std::string user_key(std::string_view name) {
  if (!text::is_valid_utf8(name)) return "\xFF";  // no valid name has this key
  return text::fold(text::to_nfc(name));
}

}  // namespace postkeep::auth
