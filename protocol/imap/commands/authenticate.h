// AUTHENTICATE and the lines that follow it. RFC 9051 §6.2.2, RFC 4959 (initial response).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

struct AuthenticateArgs {
  std::string mechanism;                   // in capitals
  std::optional<Secret> initial_response;  // decoded; "=" gives the empty one
};

Result<AuthenticateArgs> parse_authenticate(Cursor& cursor);

// One line of the client during the exchange: nullopt for "*", which cancels. Error: bad_syntax.
Result<std::optional<Secret>> parse_authenticate_line(std::string_view line);

}  // namespace postkeep::imap
