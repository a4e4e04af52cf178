// LiveServer: what admin commands ask of a running server alone: its sessions, its log, its configuration, its figures.
// The App implements it; without a server there is none (Host::live). Called on threads that may block.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "auth/guess_guard.h"
#include "server/config/settings.h"
#include "server/runtime/session_facts.h"

namespace postkeep::admin {

class LiveServer {
 public:
  virtual ~LiveServer() = default;

  virtual std::vector<server::SessionFacts> sessions() = 0;
  // Ends those that `which` picks after their current command; returns how many there were. Does not wait.
  using Which = std::function<bool(const server::SessionFacts&)>;
  virtual std::size_t end_sessions_if(const Which& which) = 0;

  // The configuration read again, as by SIGHUP.
  struct Reload {
    bool done = false;                      // the new configuration holds; else the old one does
    std::vector<std::string> problems;      // what is wrong, with lines
    std::vector<std::string> need_restart;  // keys whose new values only a restart takes over
  };
  virtual Reload reload() = 0;

  virtual LogLevel log_level() = 0;
  virtual void set_log_level(LogLevel level) = 0;  // until the next reload

  // Version, uptime, connections, what happened in the last minute, memory, queues.
  virtual nlohmann::json status() = 0;

  // Who is kept out for guessing passwords; thread-safe.
  virtual auth::GuessGuard& guard() = 0;
  // The name under which the guard knows a user (auth::Authenticator::account_key).
  virtual std::string account_key(std::string_view login) = 0;
};

}  // namespace postkeep::admin
