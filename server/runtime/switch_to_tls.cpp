#include "server/runtime/switch_to_tls.h"

namespace postkeep::server {

Awaitable<bool> switch_to_tls(SessionContext& session) {
  co_await session.connection.flush();
  const Outcome shaken = co_await session.connection.start_tls(session.services.tls.current());
  if (!shaken) session.logger.info("tls_failed", {{"error", shaken.error().detail}});
  co_return shaken.has_value();
}

}  // namespace postkeep::server
