#include "server/runtime/auth_gateway.h"

#include <utility>

#include "server/runtime/offload.h"

namespace postkeep::server {

Awaitable<Result<auth::Identity>> AuthGateway::verify(auth::Credentials credentials) {
  return run_on(auth_pool_.get_executor(),
                [this, credentials = std::move(credentials)] { return authenticator_.verify(credentials); });
}

Awaitable<Result<auth::Recipient>> AuthGateway::resolve_recipient(std::string address) {
  return run_on(storage_pool_.get_executor(),
                [this, address = std::move(address)] { return authenticator_.resolve_recipient(address); });
}

}  // namespace postkeep::server
