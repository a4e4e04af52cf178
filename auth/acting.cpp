#include "auth/acting.h"

#include <algorithm>

#include "auth/user_name.h"
#include "protocol/base/ascii.h"

namespace postkeep::auth {

namespace {

constexpr std::string_view joint = " as ";

// "*", "*@domain" or a name.
Result<std::string> checked_target(std::string_view text) {
  if (text == "*") return std::string(text);
  if (!text.starts_with("*@")) return checked_user_name(text);
  const std::string name = TRY(checked_user_name("x" + std::string(text.substr(1))));
  return "*" + name.substr(1);
}

bool covers(std::string_view as, std::string_view user) {
  if (as == "*") return true;
  if (!as.starts_with("*@")) return user_key(as) == user_key(user);
  const std::size_t at = user.rfind('@');
  return at != std::string_view::npos && ascii::iequals(user.substr(at), as.substr(1));
}

}  // namespace

Result<ActingRight> acting_right_from_text(std::string_view text) {
  const std::size_t at = text.find(joint);
  if (at == std::string_view::npos) {
    return failure(ErrorKind::cannot, "a right is written \"NAME as USER\", USER being a name, * or *@domain");
  }
  ActingRight right;
  right.by = TRY(checked_user_name(text.substr(0, at)));
  right.as = TRY(checked_target(text.substr(at + joint.size())));
  return right;
}

std::string to_text(const ActingRight& right) { return right.by + std::string(joint) + right.as; }

bool may_act(const std::vector<ActingRight>& rights, std::string_view by, std::string_view as) {
  return std::ranges::any_of(
      rights, [&](const ActingRight& right) { return user_key(right.by) == user_key(by) && covers(right.as, as); });
}

LoginName split_master(std::string_view login, std::string_view authorization, std::string_view separator) {
  const std::size_t at = separator.empty() || !authorization.empty() ? std::string_view::npos : login.rfind(separator);
  if (at == std::string_view::npos || at == 0 || at + separator.size() == login.size()) {
    return LoginName{std::string(login), std::string(authorization)};
  }
  return LoginName{std::string(login.substr(at + separator.size())), std::string(login.substr(0, at))};
}

}  // namespace postkeep::auth
