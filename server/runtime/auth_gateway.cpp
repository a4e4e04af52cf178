#include "server/runtime/auth_gateway.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/offload.h"

namespace postkeep::server {

namespace {

constexpr std::chrono::milliseconds wait_slice{200};  // after which a wait sees that the server stops

// A job on the authentication pool, with the figures of its queue.
template <class Job>
auto run_counted(WorkerPool& pool, Job job) {
  metrics().auth_queue.add(1);
  const auto asked = std::chrono::steady_clock::now();
  return run_on(pool.get_executor(), [asked, job = std::move(job)] {
    auto result = job();
    metrics().auth_queue.add(-1);
    metrics().auth_seconds.observe(std::chrono::steady_clock::now() - asked);
    return result;
  });
}

Error shutting_down() { return Error(ErrorKind::unavailable, "The server is shutting down"); }

// What the guard is told. Who may not act as somebody else had the right password all the same; what could not be
// checked says nothing of anybody.
void settle(auth::GuessGuard::Attempt& attempt, const auth::Credentials& credentials,
            Result<auth::Identity>& identity) {
  // A digest of a challenge is another one each time.
  const Secret* guess = credentials.proof == auth::Proof::password ? &credentials.password : nullptr;
  if (identity || identity.error().kind == ErrorKind::authorization_failed) {
    attempt.right();
  } else if (identity.error().kind == ErrorKind::authentication_failed && !attempt.wrong(guess)) {
    identity.error().detail += ", the same as before";
  }
}

// Whether it proves that somebody knows an account's password. A certificate cannot be guessed; and if anybody could
// earn trust by a name that nobody looks at (ANONYMOUS), he would for the name whose password he guesses.
bool is_guess(auth::Proof proof) { return proof != auth::Proof::certificate && proof != auth::Proof::nothing; }

}  // namespace

AuthGateway::AttemptPtr AuthGateway::begin_attempt(const std::string& login, const auth::Origin& origin) {
  if (guard_ == nullptr) return nullptr;
  return guard_->begin(authenticator_.account_key(login), login, origin);
}

WorkerPool& AuthGateway::pool_for(const AttemptPtr& attempt) {
  return attempt && !attempt->known_good() ? stranger_pool_ : auth_pool_;
}

// Waits until the guard lets it go on. Nothing of a pool is held meanwhile.
Awaitable<Outcome> AuthGateway::admit(AttemptPtr attempt) {
  if (!attempt) co_return Outcome();
  const auto wait = attempt->admit();
  if (!wait) {
    metrics().logins_held.at("refused").add();
    co_return tl::unexpected<Error>(wait.error());
  }
  if (wait->count() == 0) co_return Outcome();
  metrics().logins_held.at("delayed").add();
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const auto until = std::chrono::steady_clock::now() + *wait;
  while (std::chrono::steady_clock::now() < until) {
    if (stopping_) co_return tl::unexpected<Error>(shutting_down());
    timer.expires_at(std::min(until, std::chrono::steady_clock::now() + wait_slice));
    asio::error_code ignored;
    co_await timer.async_wait(into(ignored));
  }
  co_return Outcome();
}

Awaitable<AuthGateway::Maybe<auth::Identity>> AuthGateway::check(std::shared_ptr<const auth::Credentials> credentials,
                                                                 AttemptPtr attempt) {
  return run_counted(pool_for(attempt), [this, credentials, attempt]() -> Maybe<auth::Identity> {
    if (stopping_) return tl::unexpected<Error>(shutting_down());
    if (attempt && !attempt->still_admitted()) return std::optional<auth::Identity>();
    auto identity = authenticator_.verify(*credentials);
    if (attempt) settle(*attempt, *credentials, identity);
    if (!identity) return tl::unexpected<Error>(std::move(identity).error());
    return std::optional<auth::Identity>(std::move(*identity));
  });
}

Awaitable<Result<auth::Identity>> AuthGateway::verify(auth::Credentials credentials, auth::Origin origin) {
  const AttemptPtr attempt = is_guess(credentials.proof) ? begin_attempt(credentials.login, origin) : nullptr;
  const auto shared = std::make_shared<const auth::Credentials>(std::move(credentials));
  for (;;) {
    Outcome admitted = co_await admit(attempt);
    if (!admitted) co_return tl::unexpected<Error>(std::move(admitted).error());
    auto checked = co_await check(shared, attempt);
    if (!checked) co_return tl::unexpected<Error>(std::move(checked).error());
    if (*checked) co_return std::move(**checked);
  }
}

Awaitable<AuthGateway::Maybe<auth::KeyAnswer>> AuthGateway::look_up(std::shared_ptr<const auth::KeyRequest> request,
                                                                    AttemptPtr attempt) {
  return run_counted(pool_for(attempt), [this, request, attempt]() -> Maybe<auth::KeyAnswer> {
    if (stopping_) return tl::unexpected<Error>(shutting_down());
    if (attempt && !attempt->still_admitted()) return std::optional<auth::KeyAnswer>();
    auto answer = authenticator_.look_up_keys(*request);
    if (!answer) return tl::unexpected<Error>(std::move(answer).error());
    if (attempt) attempt->rest();  // the client's turn, who may take long
    answer->attempt = attempt;
    return std::optional<auth::KeyAnswer>(std::move(*answer));
  });
}

Awaitable<Result<auth::KeyAnswer>> AuthGateway::look_up_keys(auth::KeyRequest request, auth::Origin origin) {
  const AttemptPtr attempt = begin_attempt(request.login, origin);
  const auto shared = std::make_shared<const auth::KeyRequest>(std::move(request));
  for (;;) {
    Outcome admitted = co_await admit(attempt);
    if (!admitted) co_return tl::unexpected<Error>(std::move(admitted).error());
    auto answer = co_await look_up(shared, attempt);
    if (!answer) co_return tl::unexpected<Error>(std::move(answer).error());
    if (*answer) co_return std::move(**answer);
  }
}

Awaitable<Result<auth::Recipient>> AuthGateway::resolve_recipient(std::string address) {
  return run_on(storage_pool_.get_executor(),
                [this, address = std::move(address)] { return authenticator_.resolve_recipient(address); });
}

Awaitable<Result<auth::RecipientSet>> AuthGateway::resolve_recipients(std::string address) {
  return run_on(storage_pool_.get_executor(),
                [this, address = std::move(address)] { return authenticator_.resolve_recipients(address); });
}

}  // namespace postkeep::server
