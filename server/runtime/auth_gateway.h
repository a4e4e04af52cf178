// AuthGateway: the awaitable face of auth/authenticator. Password checks run on their own pool, since Argon2 takes
// its time; look-ups of recipients on the storage pool, so that logins do not hold deliveries up.
#pragma once

#include <string>

#include "auth/authenticator.h"
#include "server/runtime/awaits.h"
#include "server/runtime/worker_pool.h"

namespace postkeep::server {

class AuthGateway {
 public:
  AuthGateway(auth::Authenticator& authenticator, WorkerPool& auth_pool, WorkerPool& storage_pool)
      : authenticator_(authenticator), auth_pool_(auth_pool), storage_pool_(storage_pool) {}

  // See auth/authenticator.h for contracts and errors.
  Awaitable<Result<auth::Identity>> verify(auth::Credentials credentials);
  Awaitable<Result<auth::KeyAnswer>> look_up_keys(auth::KeyRequest request);
  bool can_supply_keys() const { return authenticator_.can_supply_keys(); }
  Awaitable<Result<auth::Recipient>> resolve_recipient(std::string address);
  Awaitable<Result<auth::RecipientSet>> resolve_recipients(std::string address);

 private:
  auth::Authenticator& authenticator_;
  WorkerPool& auth_pool_;
  WorkerPool& storage_pool_;
};

}  // namespace postkeep::server
