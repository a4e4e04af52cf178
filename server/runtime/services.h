// What sessions of all protocols are given: Services, one for the server, and SessionContext, one for each.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "server/config/settings.h"
#include "server/net/connection.h"
#include "server/net/tls_context.h"
#include "server/runtime/admission.h"
#include "server/runtime/auth_gateway.h"
#include "server/runtime/change_hub.h"
#include "server/runtime/gateway.h"
#include "server/runtime/log.h"
#include "server/runtime/login_intervals.h"
#include "server/runtime/login_recorder.h"

namespace postkeep::server {

// The settings that hold now. A session keeps the snapshot it began with. Thread-safe.
class SettingsHolder {
 public:
  explicit SettingsHolder(SettingsPtr settings) : settings_(std::move(settings)) {}
  SettingsPtr get() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  void set(SettingsPtr settings) {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
  }

 private:
  mutable std::mutex mutex_;
  SettingsPtr settings_;
};

class DeliveredBefore;

// Owned by the App; everything here is thread-safe and outlives all sessions.
struct Services {
  Log& log;
  SettingsHolder& settings;
  ChangeHub& hub;
  Gateway& gateway;
  AuthGateway& auth;
  Admission& admission;
  TlsStore& tls;
  LoginRecorder* logins = nullptr;            // may be missing in tests
  DeliveredBefore* delivered = nullptr;       // likewise; see lmtp/delivered_before.h
  LoginIntervals* login_intervals = nullptr;  // likewise; POP3's
};

// One session's own. Owned, like its Connection, by whoever runs the session (runtime/session_host), and used on the
// session's thread only.
class SessionContext {
 public:
  SessionContext(Services& all_services, Connection& own_connection, Logger own_logger)
      : services(all_services),
        connection(own_connection),
        settings(all_services.settings.get()),
        logger(std::move(own_logger)) {}
  SessionContext(const SessionContext&) = delete;
  SessionContext& operator=(const SessionContext&) = delete;

  Services& services;
  Connection& connection;
  const SettingsPtr settings;
  Logger logger;

  // After a login: takes the user's place (Errors: limit), and lets `user`'s sessions be ended by an administrator.
  Outcome log_in(const std::string& user) {
    place_ = TRY(services.admission.admit_user(user));
    user_ = user;
    logger.set_user(user);
    return {};
  }
  // The user has gone and the connection goes on (RFC 8437): gives the place back.
  void log_out() {
    place_ = Admission::Ticket();
    user_.clear();
    logger.set_user({});
  }
  const std::string& user() const { return user_; }  // empty before a login
  asio::any_io_executor executor() { return connection.executor(); }
  std::string_view protocol;  // of the listener: "imaps"
  const std::chrono::system_clock::time_point since = std::chrono::system_clock::now();
  unsigned failed_logins = 0;  // since the connection, or its TLS, began; runtime/login counts

 private:
  Admission::Ticket place_;
  std::string user_;
};

// What a protocol is to session_host: it runs from greeting to the last reply, and returns when the connection is to
// be closed. ConnectionEnded may come out of it. On an implicit TLS port the handshake is over already.
using RunSession = asio::awaitable<void> (*)(SessionContext& context);

}  // namespace postkeep::server
