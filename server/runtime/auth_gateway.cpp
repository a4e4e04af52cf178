#include "server/runtime/auth_gateway.h"

#include <chrono>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/offload.h"

namespace postkeep::server {

namespace {

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

}  // namespace

Awaitable<Result<auth::Identity>> AuthGateway::verify(auth::Credentials credentials) {
  return run_counted(auth_pool_,
                     [this, credentials = std::move(credentials)] { return authenticator_.verify(credentials); });
}

Awaitable<Result<auth::KeyAnswer>> AuthGateway::look_up_keys(auth::KeyRequest request) {
  return run_counted(auth_pool_, [this, request = std::move(request)] { return authenticator_.look_up_keys(request); });
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
