// Who may log in as somebody else (the authorization identity of RFC 4422 §3.4.1), and the login name `user*master` by
// which clients without one ask for it. Used by the authenticator, and by the settings that keep the rights
// (auth.masters, auth.delegates). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep::auth {

// One right: `by` may act as `as`.
struct ActingRight {
  std::string by;  // a user's name
  std::string as;  // a user's name, "*" for everybody, "*@domain" for everybody of a domain

  bool operator==(const ActingRight&) const = default;
};

// "alice as bob", "postmaster as *@example.org". Errors: cannot, with the reason.
Result<ActingRight> acting_right_from_text(std::string_view text);
std::string to_text(const ActingRight& right);

// `by` and `as` are names of users as the directory has them; upper and lower case are one.
bool may_act(const std::vector<ActingRight>& rights, std::string_view by, std::string_view as);

// Who logs in, and as whom; "" for oneself.
struct LoginName {
  std::string login;
  std::string authorization;
};
// Takes `user*master` apart at the last separator: the master logs in as the user. A name without it, one with nothing
// on a side of it, and any where `separator` is empty, is a login. So is one that comes with an authorization.
LoginName split_master(std::string_view login, std::string_view authorization, std::string_view separator);

}  // namespace postkeep::auth
