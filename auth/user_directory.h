// UserDirectory: where users and their verifiers are kept. auth/user_database (SQLite) is the embedded
// one; others are siblings of it. Called by auth/authenticator and by the admin commands.
// It stores and finds; it checks no password and knows nothing of domains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/password_hash.h"
#include "protocol/base/result.h"

namespace postkeep::auth {

// One who may have mail here. `name` is `name` or `name@domain`, valid by auth/user_name.h, as it was given
// when the user was added; mail lies under that name.
struct User {
  std::string name;
  bool enabled = true;       // false: no login; mail is still taken in
  std::int64_t created = 0;  // seconds since the epoch
};

// Blocking; all calls may come from several threads at once. Names are found without regard to case
// (user_key), so two users cannot differ in case alone. Errors besides those named: unavailable, corruption.
class UserDirectory {
 public:
  virtual ~UserDirectory() = default;
  virtual Result<std::optional<User>> find(std::string_view name) = 0;
  // The verifiers of a user, in the order in which they were set. Errors: not_found.
  virtual Result<std::vector<Verifier>> verifiers(std::string_view name) = 0;
  virtual Result<std::vector<User>> list() = 0;  // sorted by name
  // Whether every user of this directory has SCRAM-SHA-256 keys, or can have them after a login with the password. Does
  // not block.
  virtual bool can_supply_keys() const = 0;
  // Whether everybody who has a password has SCRAM-SHA-1 keys now, or they can be made of what is kept. Stricter, since
  // servers without them are there already: clients that know only this mechanism must not begin to fail. Does not
  // block.
  virtual bool can_supply_sha_1_keys() const { return false; }
  // Whether the calls below work for this user. False: they answer `cannot`, and say where the user is kept instead.
  virtual bool is_writable(std::string_view name) = 0;
  // Durable when they return. Errors of each: cannot where the directory is read only.
  virtual Outcome add(const User& user, const std::vector<Verifier>& verifiers) = 0;  // already_exists
  virtual Outcome set_verifiers(std::string_view name,
                                const std::vector<Verifier>& verifiers) = 0;  // replaces; not_found
  // Adds one beside those that are there, unless they are no longer `seen`. Errors: not_found, in_use.
  virtual Outcome add_verifier(std::string_view name, const Verifier& verifier, const std::vector<Verifier>& seen) = 0;
  virtual Outcome set_enabled(std::string_view name, bool enabled) = 0;  // not_found
  virtual Outcome remove(std::string_view name) = 0;                     // not_found
  // `to` is checked_user_name()'s and may differ from `name` in case alone. The mail is the caller's business
  // (server/admin/user_rename.h). Errors: not_found, already_exists; cannot where others keep the names.
  virtual Outcome rename(std::string_view name, const std::string& to);
};

inline Outcome UserDirectory::rename(std::string_view, const std::string&) {
  return failure(ErrorKind::cannot, "This user is kept elsewhere and must be renamed there");
}

}  // namespace postkeep::auth
