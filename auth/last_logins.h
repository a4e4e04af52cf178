// LastLogins: when each user last logged in by each protocol, one SQLite file <data_dir>/logins.sqlite, mode 0600.
// Users of every directory are in it, read-only ones too; it is by name, as the directory spells it. Losing the file
// loses nothing else. The server writes batches (server/runtime/login_recorder), so a power cut may lose the last
// seconds. Thread-safe by one mutex. Errors: those of storage/index/database.h.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_system.h"
#include "storage/index/database.h"

namespace postkeep::auth {

struct LastLogin {
  std::string user;
  std::string protocol;   // "imap", "pop3"
  std::int64_t time = 0;  // seconds since 1970, UTC
};

class LastLogins {
 public:
  // Opens or creates. Errors besides: cannot when the file was written by a newer version.
  static Result<std::unique_ptr<LastLogins>> open(storage::FileSystem& files, const std::string& path);

  // All or nothing; an earlier time than the one that stands there changes nothing.
  Outcome record(std::span<const LastLogin> logins);
  // By protocol.
  Result<std::vector<LastLogin>> of(std::string_view user);
  // By user, then protocol.
  Result<std::vector<LastLogin>> all();
  // What becomes of a user's entries; fine if there are none.
  Outcome rename(std::string_view from, std::string_view to);
  Outcome forget(std::string_view user);

 private:
  explicit LastLogins(std::unique_ptr<storage::Database> database) : database_(std::move(database)) {}

  std::mutex mutex_;
  std::unique_ptr<storage::Database> database_;
};

// "<data_dir>/logins.sqlite"
std::string last_logins_path(std::string_view data_dir);

}  // namespace postkeep::auth
