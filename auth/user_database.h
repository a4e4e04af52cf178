// UserDatabase: the embedded UserDirectory, one SQLite file <data_dir>/users.sqlite, mode 0600. SQL reaches
// SQLite only through storage/index/database.h. Opened by the server, or by an admin command that holds the data lock.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "auth/user_directory.h"
#include "storage/file_system.h"
#include "storage/index/database.h"

namespace postkeep::auth {

// Thread-safe by one mutex: a lookup takes microseconds, and hashing happens outside.
class UserDatabase final : public UserDirectory {
 public:
  // Opens or creates, and brings the schema up to date. Errors: in_use, corruption, unavailable; cannot when
  // the file was written by a newer version.
  static Result<std::unique_ptr<UserDatabase>> open(storage::FileSystem& files, const std::string& path);

  Result<std::optional<User>> find(std::string_view name) override;
  Result<std::vector<Verifier>> verifiers(std::string_view name) override;
  Result<std::vector<User>> list() override;
  bool can_supply_keys() const override { return true; }  // a login with the password adds them
  bool can_supply_sha_1_keys() const override { return lacks_sha_1_ == nobody; }
  bool is_writable(std::string_view) override { return true; }
  Outcome add(const User& user, const std::vector<Verifier>& verifiers) override;
  Outcome set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) override;
  Outcome add_verifier(std::string_view name, const Verifier& verifier, const std::vector<Verifier>& seen) override;
  Outcome set_enabled(std::string_view name, bool enabled) override;
  Outcome remove(std::string_view name) override;
  Outcome rename(std::string_view name, const std::string& to) override;

 private:
  explicit UserDatabase(std::unique_ptr<storage::Database> database) : database_(std::move(database)) {}
  Result<std::optional<std::int64_t>> user_id(std::string_view name);
  Result<std::vector<Verifier>> read_verifiers(std::int64_t user);
  Outcome insert_verifiers(std::int64_t user, const std::vector<Verifier>& verifiers);
  Result<bool> lacks_sha_1_keys(std::int64_t user);
  Outcome look_for_lacking();
  Outcome note_sha_1_keys(std::int64_t user);

  static constexpr std::int64_t nobody = 0;

  std::mutex mutex_;
  std::unique_ptr<storage::Database> database_;
  // The row of a user who has a password and no SCRAM-SHA-1 keys: while one is known the others need not be looked at.
  std::atomic<std::int64_t> lacks_sha_1_{nobody};
};

// "<data_dir>/users.sqlite"
std::string user_database_path(std::string_view data_dir);

}  // namespace postkeep::auth
