#include "server/net/proxy_peer.h"

#include <string>
#include <utility>

#include "protocol/proxy/header.h"

namespace postkeep::server {
namespace {

Peer client_of(const proxy::Header& header, const Peer& in_front) {
  if (!header.source) return in_front;
  Peer client;
  client.address = header.source->address.to_string();
  client.port = header.source->port;
  client.loopback = header.source->address.is_loopback();
  return client;
}

}  // namespace

asio::awaitable<Result<Peer>> read_proxy_peer(Connection& connection, std::chrono::milliseconds timeout) {
  connection.set_time_limit(timeout);
  std::string seen;  // all of the header, bounded by the parser
  while (true) {
    const std::size_t taken = seen.size();
    std::string arrived = co_await connection.peek();
    if (arrived.empty()) co_return failure(ErrorKind::bad_syntax, "PROXY header: the connection ended");
    seen += arrived;
    const auto parsed = proxy::parse_header(seen);
    if (!parsed) co_return tl::unexpected<Error>(parsed.error());
    if (*parsed) {
      connection.skip((*parsed)->size - taken);
      connection.clear_time_limit();
      co_return client_of((*parsed)->header, connection.peer());
    }
    connection.skip(arrived.size());
  }
}

}  // namespace postkeep::server
