// LMTP sessions: how mail comes in from an MTA. RFC 2033 (with RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 4954,
// 6152, 6531). Run by runtime/session_host. Reads and answers; what a command does is in commands.cpp, what happens to
// a message in delivery.cpp. Who may connect is decided by the listener's address; AUTH is off unless it is set.
#pragma once

#include <asio/awaitable.hpp>

#include "server/runtime/services.h"

namespace postkeep::server {

asio::awaitable<void> run_lmtp_session(SessionContext& context);

// For whoever comes when all places are taken.
inline constexpr std::string_view lmtp_refusal = "421 4.3.2 Too many connections, try again later\r\n";

}  // namespace postkeep::server
