#include "server/mta/socketmap_session.h"

#include <utility>

#include "protocol/socketmap/netstring.h"
#include "protocol/socketmap/query.h"
#include "server/metrics/metrics.h"
#include "server/mta/maps.h"

namespace postkeep::server {
namespace {

Awaitable<socketmap::Answer> answer_to(SessionContext& context, std::string_view text) {
  auto query = socketmap::parse_query(text);
  if (!query) co_return socketmap::Answer(socketmap::Status::perm, query.error().text);
  const Stopwatch watch(metrics().command_seconds.at("socketmap", "lookup"));
  socketmap::Answer answer = co_await look_up(context, std::move(*query));
  co_return answer;
}

}  // namespace

// Until the end of the stream, or what is no netstring.
asio::awaitable<void> run_socketmap_session(SessionContext& context) {
  using Event = socketmap::NetstringFramer::Event;
  Connection& connection = context.connection;
  connection.set_read_timeout(context.settings->limits.mta_timeout);
  socketmap::NetstringFramer framer(socketmap::query_octets_max);
  std::string input;
  while (true) {
    std::string_view text;
    const Event event = framer.next(text);
    if (event == Event::broken) {
      context.logger.warn("mta_misunderstood", {{"reason", "not a netstring, or a too long one"}});
      co_return;
    }
    if (event == Event::incomplete) {
      co_await connection.flush();
      const std::size_t count = co_await connection.read_some(input);
      if (count == 0) co_return;
      framer.push(input);
      std::string().swap(input);
      continue;
    }
    const socketmap::Answer answer = co_await answer_to(context, text);
    socketmap::write_answer(connection.output(), answer);
    if (connection.ending() != Ending::none) throw ConnectionEnded(connection.ending(), "ended between look-ups");
    co_await connection.flush_if_large();
  }
}

}  // namespace postkeep::server
