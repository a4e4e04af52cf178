// Whom a program in front of us speaks for: reads the PROXY header (protocol/proxy/header.h) with which it begins. Used
// by runtime/session_host on listeners that expect one, before TLS and before anything of the session.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>

#include "protocol/base/result.h"
#include "server/net/connection.h"

namespace postkeep::server {

// The client: as the header says, or who has connected if it names nobody. Takes the header and nothing behind it.
// Within `timeout`, since whoever is in front sends it at once. Errors: bad_syntax (no header, or one that is wrong);
// throws ConnectionEnded.
asio::awaitable<Result<Peer>> read_proxy_peer(Connection& connection, std::chrono::milliseconds timeout);

}  // namespace postkeep::server
