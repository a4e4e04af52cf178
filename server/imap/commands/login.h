// What LOGIN and AUTHENTICATE have in common: checking credentials and entering the authenticated state.
#pragma once

#include <string>

#include "auth/authenticator.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// Verifies, and on success makes the session the user's: account, limits, default mailboxes. The answer carries the
// capabilities (RFC 9051 §6.2.2). Too many failures end the session.
Answer log_in(Context& context, auth::Credentials credentials, std::string mechanism);

}  // namespace postkeep::imap
