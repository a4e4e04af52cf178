// LOGIN. RFC 9051 §6.2.3.
#pragma once

#include <string>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

struct LoginArgs {
  std::string user;
  Secret password;
};

Result<LoginArgs> parse_login(Cursor& cursor);

}  // namespace postkeep::imap
