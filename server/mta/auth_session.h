// The auth socket that MTAs speak: sessions of the Dovecot authentication protocol, by which Postfix and Exim let our
// users send mail with the names and passwords that they read it with. See protocol/dovecot_auth/message.h. Run by
// runtime/session_host. Whoever can connect may ask for a password: who that is is decided by the listener's address.
#pragma once

#include <asio/awaitable.hpp>

#include "server/runtime/services.h"

namespace postkeep::server {

asio::awaitable<void> run_mta_auth_session(SessionContext& context);

}  // namespace postkeep::server
