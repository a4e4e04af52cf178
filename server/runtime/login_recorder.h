// LoginRecorder: remembers who logged in and writes it to auth/last_logins a few seconds later, so that a login costs
// no write of its own. Used by runtime/login and by admin commands. Thread-safe.
#pragma once

#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "auth/last_logins.h"
#include "server/runtime/worker_pool.h"
#include "storage/file_system.h"

namespace postkeep::server {

class LoginRecorder {
 public:
  static constexpr std::chrono::seconds write_after{5};
  using Problem = std::function<void(const Error& error)>;

  // `pool` does the writing; `problem` is told when it fails, on a thread of the pool. The file is opened when it is
  // first needed.
  LoginRecorder(WorkerPool& pool, storage::FileSystem& files, std::string path, Problem problem);

  // `user` logged in just now. Does not block.
  void note(const std::string& user, std::string_view protocol);
  // What is known by now, written. Blocking.
  Result<auth::LastLogins*> logins();
  // Writes what is left; nothing is noted from then on. Before the pool is joined. Blocking.
  void close();

 private:
  Outcome write();
  void write_soon();  // with the mutex held

  storage::FileSystem& files_;
  const std::string path_;
  const Problem problem_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::int64_t> noted_;  // user, protocol: time
  asio::basic_waitable_timer<std::chrono::steady_clock> timer_;
  bool closed_ = false;
  std::mutex writing_;
  std::unique_ptr<auth::LastLogins> logins_;  // guarded by writing_ until it is there
};

}  // namespace postkeep::server
