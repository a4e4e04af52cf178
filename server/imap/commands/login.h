// What LOGIN and AUTHENTICATE have in common after runtime/login: entering the authenticated state.
#pragma once

#include <string_view>

#include "server/imap/context.h"

namespace postkeep::imap {

inline constexpr std::string_view protocol_name = "imap";  // of the logins

// On success the session is the user's: account and limits. The answer carries the capabilities (RFC 9051 §6.2.2).
// Too many failures end the session.
Result<Completion> finish_login(Context& context, Result<server::AccountPtr> account);

}  // namespace postkeep::imap
