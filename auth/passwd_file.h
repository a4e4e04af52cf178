// PasswdFile: users in a text file that an administrator or another program writes (format: auth/passwd_lines.h). Read
// only: the commands that would change a user say what to do instead.
//
// The file is read again when it has changed, which every look-up asks by one stat(2). It is never taken in half
// written: a change is left alone until the file has been quiet for half a second, and a reading during which the
// file changed is thrown away. A file that is gone or cannot be read leaves what was read last.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "auth/passwd_lines.h"
#include "auth/user_directory.h"
#include "storage/account_store.h"
#include "storage/file_system.h"

namespace postkeep::auth {

// What an administrator should know of a backend; said on the thread that made the call, perhaps under its lock.
using BackendReport = std::function<void(const std::string& text)>;

// Thread-safe. `files` and `clock` outlive it.
class PasswdFile final : public UserDirectory {
 public:
  // Reads the file for the first time. Errors: unavailable (it cannot be read), too_big.
  static Result<std::unique_ptr<PasswdFile>> open(storage::FileSystem& files, storage::Clock& clock, std::string path,
                                                  BackendReport report);

  Result<std::optional<User>> find(std::string_view name) override;
  Result<std::vector<Verifier>> verifiers(std::string_view name) override;
  Result<std::vector<User>> list() override;
  bool can_supply_keys() const override { return all_have_keys_; }  // as of the last look-up, like the next
  bool can_supply_sha_1_keys() const override { return all_have_sha_1_keys_; }
  bool is_writable(std::string_view) override { return false; }
  Outcome add(const User& user, const std::vector<Verifier>& verifiers) override;
  Outcome set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) override;
  Outcome add_verifier(std::string_view name, const Verifier& verifier, const std::vector<Verifier>& seen) override;
  Outcome set_enabled(std::string_view name, bool enabled) override;
  Outcome remove(std::string_view name) override;

 private:
  // By what a changed file is known.
  struct Stamp {
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    storage::FileTime modified{};
    bool operator==(const Stamp&) const = default;
  };
  using Table = std::shared_ptr<const PasswdTable>;

  PasswdFile(storage::FileSystem& files, storage::Clock& clock, std::string path, BackendReport report)
      : files_(files), clock_(clock), path_(std::move(path)), report_(std::move(report)) {}
  Result<Stamp> stamp();
  Table current();
  bool is_quiet(const Stamp& stamp);
  Outcome load(const Stamp& expected);
  void report_problems(const PasswdTable& table);
  Error refuse_writing() const;

  storage::FileSystem& files_;
  storage::Clock& clock_;
  const std::string path_;
  const BackendReport report_;
  std::atomic<bool> all_have_keys_{false};
  std::atomic<bool> all_have_sha_1_keys_{false};

  std::mutex mutex_;  // guards the rest; held while the file is read
  Table table_;
  Stamp loaded_;
  bool settled_ = false;          // the file was quiet when it was read
  bool reported_ = false;         // that it cannot be read
  std::optional<Stamp> changed_;  // seen, not yet read
  storage::FileTime changed_seen_{};
};

}  // namespace postkeep::auth
