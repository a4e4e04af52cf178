// The log: one event a line, `event=login session=7f user=alice`, as text or JSON, on standard error or in a file.
// Only server/ logs (style.md D). What a client says can be logged as it is: it cannot begin a new line or
// another field. A Secret prints as ***. Thread-safe; blocking for as long as a write to the file takes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/base/error.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "server/config/settings.h"

namespace postkeep {

// One `key=value`. Keys are ours: lower case, no spaces. Values live until the call returns.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, int v) : key(k), value(std::int64_t{v}) {}
  LogField(std::string_view k, long v) : key(k), value(std::int64_t{v}) {}
  LogField(std::string_view k, unsigned v) : key(k), value(std::uint64_t{v}) {}
  LogField(std::string_view k, unsigned long v) : key(k), value(std::uint64_t{v}) {}
  LogField(std::string_view k, const Secret&) : key(k), value(std::string_view("***")) {}
};
using LogFields = std::initializer_list<LogField>;

// The sink that all loggers share; owned by the App, and outlives them.
class Log {
 public:
  // Errors: unavailable, with the path in `detail`.
  static Result<std::unique_ptr<Log>> open(const Settings::Log& settings);
  ~Log();

  bool wants(LogLevel level) const;
  LogLevel level() const;
  void set_level(LogLevel level);  // until reopen()
  // `context` is put in after the event, ready-made by Logger.
  void write(LogLevel level, std::string_view event, LogFields fields, LogFields context = {});
  // SIGHUP: opens the file anew (a rotation moved it away) and takes level and format over. On failure the old
  // one stays.
  Outcome reopen(const Settings::Log& settings);

 private:
  Log();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A handle with the session's id, and the user's name once there is one. Cheap to copy; belongs to one thread.
class Logger {
 public:
  explicit Logger(Log& log, std::string session = {}) : log_(&log), session_(std::move(session)) {}
  void set_user(std::string user) { user_ = std::move(user); }
  const std::string& session() const { return session_; }
  bool wants(LogLevel level) const { return log_->wants(level); }

  void error(std::string_view event, LogFields fields = {}) const { write(LogLevel::error, event, fields); }
  void warn(std::string_view event, LogFields fields = {}) const { write(LogLevel::warn, event, fields); }
  void info(std::string_view event, LogFields fields = {}) const { write(LogLevel::info, event, fields); }
  void debug(std::string_view event, LogFields fields = {}) const { write(LogLevel::debug, event, fields); }
  void trace(std::string_view event, LogFields fields = {}) const { write(LogLevel::trace, event, fields); }
  void write(LogLevel level, std::string_view event, LogFields fields) const;

 private:
  Log* log_;
  std::string session_, user_;
};

// A short id for a session, unique in this process: "1a2b". Thread-safe.
std::string next_session_id();

}  // namespace postkeep
