// The authentications that an MTA has under way on one connection of its auth socket: exchanges by id, several at a
// time, each driven by auth/exchange as IMAP's AUTHENTICATE is, with the same limits, log and figures; but nobody is
// logged in here: the answer is all. Used by mta/auth_session alone, on the session's thread.
#pragma once

#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "auth/exchange.h"
#include "protocol/dovecot_auth/message.h"
#include "protocol/dovecot_auth/reply.h"
#include "server/runtime/awaits.h"
#include "server/runtime/services.h"
#include "server/runtime/task_group.h"

namespace postkeep::server {

// Exchanges of one connection at one time. Postfix has one, Exim one.
inline constexpr std::size_t auth_requests_max = 64;

class AuthRequests {
 public:
  // `tasks` runs what has to wait, and is joined before this goes.
  AuthRequests(SessionContext& context, TaskGroup& tasks);
  AuthRequests(const AuthRequests&) = delete;
  AuthRequests& operator=(const AuthRequests&) = delete;

  // Each has its answer appended to the connection's output, now or when a task has found it, which also sends it.
  // Errors of begin(): client_bug, an id that is in use; the connection is of no use any more.
  Outcome begin(dovecot_auth::Auth message);
  void go_on(dovecot_auth::Continue message);
  void cancel(std::uint32_t id);

  // Sends what is in the output, or leaves it to a task that is sending already, but then waits while there is much.
  // Throws ConnectionEnded.
  Awaitable<void> send();

  // The mechanisms that may be used here at all, for the handshake. Whether a password may travel is asked at AUTH,
  // when it is known how the MTA's client came.
  static std::vector<dovecot_auth::OfferedMechanism> offered(const SessionContext& context);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Request;
  class Sending;
  using RequestPtr = std::shared_ptr<Request>;

  void make_room();
  void take(const RequestPtr& request, auth::Exchange::Progress progress);
  void finish(Request& request, const Result<auth::Identity>& identity);
  Awaitable<void> advance(RequestPtr request, auth::Exchange::Progress progress);
  void fail(std::uint32_t id, const Error& error, std::string_view login);

  SessionContext& context_;
  TaskGroup& tasks_;
  std::map<std::uint32_t, RequestPtr> requests_;
  bool sending_ = false;
  asio::basic_waitable_timer<std::chrono::steady_clock> sent_;  // never expires; cancelled when output has gone
};

}  // namespace postkeep::server
