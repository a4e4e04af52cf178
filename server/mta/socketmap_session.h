// Sessions of Postfix's socketmap_table(5): look-ups of recipients and their quota for an MTA, one after another. Run
// by runtime/session_host. Whoever can connect may ask who has mail here: who that is is decided by the listener's
// address.
#pragma once

#include <asio/awaitable.hpp>

#include "server/runtime/services.h"

namespace postkeep::server {

asio::awaitable<void> run_socketmap_session(SessionContext& context);

}  // namespace postkeep::server
