// The admin socket <data_dir>/admin.sock, mode 0600: one JSON line in, one JSON line out, then it closes; between the
// two, a command that streams speaks as server/admin/channel.h has it. Whoever may open the socket owns the data
// anyway, so there is no further check. serve_admin runs in the server; connect_to_server is the other end, in the same
// program.
#pragma once

#include <asio.hpp>
#include <memory>
#include <string>

#include "server/admin/channel.h"
#include "server/admin/commands.h"
#include "server/runtime/log.h"
#include "server/runtime/worker_pool.h"

namespace postkeep::admin {

std::string socket_path(std::string_view data_dir);

// Requests longer than this are refused.
inline constexpr std::size_t request_octets_max = 64 * 1024;

// Binds the socket (a stale file is removed: the caller holds the data lock). Errors: unavailable.
Result<std::unique_ptr<asio::local::stream_protocol::acceptor>> open_admin_socket(asio::any_io_executor executor,
                                                                                  const std::string& path);

// More connections at once are refused: each command that streams has a thread.
inline constexpr std::size_t admin_connections_max = 64;

// Answers requests, several at once, until the acceptor is closed; then commands under way are finished first, those
// that stream are interrupted. Commands run on `pool`, since they block, or on a thread of their own if they stream;
// everything else on the executor of the caller, which is the acceptor's.
asio::awaitable<void> serve_admin(asio::local::stream_protocol::acceptor& acceptor, server::WorkerPool& pool,
                                  Host& host, Logger logger);

// A connection to the running server; null: none listens there. Errors: no_permission. Blocking, and so are its calls.
Result<std::unique_ptr<Channel>> connect_to_server(const std::string& path);

}  // namespace postkeep::admin
