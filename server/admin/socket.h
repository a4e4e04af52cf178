// The admin socket <data_dir>/admin.sock, mode 0600: one JSON line in, one JSON line out, then it closes. Whoever may
// open it owns the data anyway, so there is no further check. serve_admin runs in the server; call_server is
// the other end, in the same program.
#pragma once

#include <asio.hpp>
#include <memory>
#include <optional>
#include <string>

#include "server/admin/commands.h"
#include "server/runtime/log.h"

namespace postkeep::admin {

std::string socket_path(std::string_view data_dir);

// Requests longer than this are refused.
inline constexpr std::size_t request_octets_max = 64 * 1024;

// Binds the socket (a stale file is removed: the caller holds the data lock). Errors: unavailable.
Result<std::unique_ptr<asio::local::stream_protocol::acceptor>> open_admin_socket(asio::any_io_executor executor,
                                                                                  const std::string& path);

// Answers requests one after another until the acceptor is closed; then a command under way is finished first.
// Commands run on `pool`, since they block; everything else on the executor of the caller, which is the acceptor's.
asio::awaitable<void> serve_admin(asio::local::stream_protocol::acceptor& acceptor, asio::thread_pool& pool, Host& host,
                                  Logger logger);

// Asks a running server. nullopt: none listens there. Errors: those of the command; unavailable when the
// connection breaks. Blocking.
std::optional<Result<nlohmann::json>> call_server(const std::string& path, const nlohmann::json& request);

}  // namespace postkeep::admin
