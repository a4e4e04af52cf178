// What follows the good answer to STARTTLS and STLS.
#pragma once

#include "server/runtime/awaits.h"
#include "server/runtime/services.h"

namespace postkeep::server {

// Sends what is to be sent and shakes hands with the certificate of the moment. False: the handshake failed and is
// logged, and nothing more can be said on the connection. The caller forgets what it learnt in plaintext.
Awaitable<bool> switch_to_tls(SessionContext& session);

}  // namespace postkeep::server
