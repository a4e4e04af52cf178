// AuthGateway: the awaitable face of auth/authenticator. Password checks run on their own pool, since Argon2 takes
// its time; look-ups of recipients on the storage pool, so that logins do not hold deliveries up. Before each login
// auth/guess_guard is asked: one that it delays waits here, and one that it refuses costs nothing more.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "auth/authenticator.h"
#include "auth/guess_guard.h"
#include "server/runtime/awaits.h"
#include "server/runtime/worker_pool.h"

namespace postkeep::server {

class AuthGateway {
 public:
  // `guard` may be missing: then nobody is delayed. Those whom it does not know to be good are checked on
  // `stranger_pool`, if there is one, so that a crowd of them does not stand before everybody else.
  AuthGateway(auth::Authenticator& authenticator, WorkerPool& auth_pool, WorkerPool& storage_pool,
              auth::GuessGuard* guard = nullptr, WorkerPool* stranger_pool = nullptr)
      : authenticator_(authenticator),
        auth_pool_(auth_pool),
        storage_pool_(storage_pool),
        stranger_pool_(stranger_pool == nullptr ? auth_pool : *stranger_pool),
        guard_(guard) {}

  // See auth/authenticator.h for contracts and errors; unavailable also when the guard refuses. `origin` is whose
  // guess it may be: the client's address, not that of a program between.
  Awaitable<Result<auth::Identity>> verify(auth::Credentials credentials, auth::Origin origin = {});
  // The answer has the guard's attempt, which the mechanism gives the outcome to.
  Awaitable<Result<auth::KeyAnswer>> look_up_keys(auth::KeyRequest request, auth::Origin origin = {});
  bool can_supply_keys() const { return authenticator_.can_supply_keys(); }
  bool can_supply_sha_1_keys() const { return authenticator_.can_supply_sha_1_keys(); }
  Awaitable<Result<auth::Recipient>> resolve_recipient(std::string address);
  Awaitable<Result<auth::RecipientSet>> resolve_recipients(std::string address);

  // Whether a connection from there could not log in anyway.
  bool turns_away(const auth::Origin& origin) { return guard_ != nullptr && origin && guard_->turns_away(*origin); }
  // Ends all waiting: the server stops. Any thread.
  void stop_waiting() { stopping_ = true; }

 private:
  using AttemptPtr = std::shared_ptr<auth::GuessGuard::Attempt>;
  template <class Answer>
  using Maybe = Result<std::optional<Answer>>;  // nothing: the guard has to be asked again

  AttemptPtr begin_attempt(const std::string& login, const auth::Origin& origin);
  WorkerPool& pool_for(const AttemptPtr& attempt);
  Awaitable<Outcome> admit(AttemptPtr attempt);
  Awaitable<Maybe<auth::Identity>> check(std::shared_ptr<const auth::Credentials> credentials, AttemptPtr attempt);
  Awaitable<Maybe<auth::KeyAnswer>> look_up(std::shared_ptr<const auth::KeyRequest> request, AttemptPtr attempt);

  auth::Authenticator& authenticator_;
  WorkerPool& auth_pool_;
  WorkerPool& storage_pool_;
  WorkerPool& stranger_pool_;
  auth::GuessGuard* guard_;
  std::atomic<bool> stopping_{false};
};

}  // namespace postkeep::server
