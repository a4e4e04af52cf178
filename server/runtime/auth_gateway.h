// AuthGateway: the awaitable face of auth/authenticator. Password checks run on their own pool, since Argon2 takes
// its time; look-ups of recipients on the storage pool, so that logins do not hold deliveries up.
#pragma once

#include <asio/thread_pool.hpp>
#include <string>

#include "auth/authenticator.h"
#include "server/runtime/awaits.h"

namespace postkeep::server {

class AuthGateway {
 public:
  AuthGateway(auth::Authenticator& authenticator, asio::thread_pool& auth_pool, asio::thread_pool& storage_pool)
      : authenticator_(authenticator), auth_pool_(auth_pool), storage_pool_(storage_pool) {}

  // See auth/authenticator.h for contracts and errors.
  Awaitable<Result<auth::Identity>> verify(auth::Credentials credentials);
  Awaitable<Result<auth::KeyAnswer>> look_up_keys(auth::KeyRequest request);
  bool can_supply_keys() const { return authenticator_.can_supply_keys(); }
  Awaitable<Result<auth::Recipient>> resolve_recipient(std::string address);

 private:
  auth::Authenticator& authenticator_;
  asio::thread_pool& auth_pool_;
  asio::thread_pool& storage_pool_;
};

}  // namespace postkeep::server
