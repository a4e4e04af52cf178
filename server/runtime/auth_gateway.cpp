#include "server/runtime/auth_gateway.h"

#include <chrono>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/offload.h"

namespace postkeep::server {

Awaitable<Result<auth::Identity>> AuthGateway::verify(auth::Credentials credentials) {
  metrics().auth_queue.add(1);
  const auto asked = std::chrono::steady_clock::now();
  return run_on(auth_pool_.get_executor(), [this, asked, credentials = std::move(credentials)] {
    auto identity = authenticator_.verify(credentials);
    metrics().auth_queue.add(-1);
    metrics().auth_seconds.observe(std::chrono::steady_clock::now() - asked);
    return identity;
  });
}

Awaitable<Result<auth::Recipient>> AuthGateway::resolve_recipient(std::string address) {
  return run_on(storage_pool_.get_executor(),
                [this, address = std::move(address)] { return authenticator_.resolve_recipient(address); });
}

}  // namespace postkeep::server
