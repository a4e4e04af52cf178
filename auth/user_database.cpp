#include "auth/user_database.h"

#include <algorithm>
#include <array>

#include "auth/user_name.h"

namespace postkeep::auth {

namespace {

using storage::Database;
using storage::Statement;
using storage::Transaction;

// Steps from one schema version to the next, in order; a released step is never changed, only followed.
constexpr std::array migrations = {
    // `key` is user_key(name): finding ignores case, and two users cannot differ in it alone. `verifier` is
    // "{SCHEME}hash"; verifiers are kept in the order of their ids.
    "CREATE TABLE users (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    " enabled INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE verifiers (id INTEGER PRIMARY KEY,"
    " user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, verifier TEXT NOT NULL) STRICT;"
    "CREATE INDEX verifiers_by_user ON verifiers (user);",
};

Outcome migrate(Database& database) {
  const std::int64_t version = TRY(database.user_version());
  if (version > static_cast<std::int64_t>(migrations.size())) {
    return failure(ErrorKind::cannot, "The user database was written by a newer version of Postkeep");
  }
  if (version == static_cast<std::int64_t>(migrations.size())) return {};
  Transaction transaction = TRY(Transaction::begin(database));
  for (auto step = static_cast<std::size_t>(version); step < migrations.size(); ++step) {
    TRY(database.execute(migrations[step]));
  }
  TRY(database.set_user_version(static_cast<std::int64_t>(migrations.size())));
  return transaction.commit();
}

User read_user(const Statement& row) {
  User user;
  user.name = std::string(row.text(0));
  user.enabled = row.integer(1) != 0;
  user.created = row.integer(2);
  return user;
}

bool are_same(const std::vector<Verifier>& left, const std::vector<Verifier>& right) {
  return std::ranges::equal(left, right, [](const Verifier& a, const Verifier& b) {
    return a.scheme == b.scheme && a.hash.reveal() == b.hash.reveal();
  });
}

// Users who have a password kept, and neither SCRAM-SHA-1 keys nor what they can be made of.
#define LACKING_SHA_1_KEYS                                                                           \
  "SELECT id FROM users WHERE EXISTS (SELECT 1 FROM verifiers WHERE user = users.id) AND NOT EXISTS" \
  " (SELECT 1 FROM verifiers WHERE user = users.id AND"                                              \
  " (verifier LIKE '{SCRAM-SHA-1}%' OR verifier LIKE '{PLAIN}%'))"
constexpr const char* anybody_lacking = LACKING_SHA_1_KEYS " LIMIT 1";
constexpr const char* this_one_lacking = LACKING_SHA_1_KEYS " AND id = ?";
#undef LACKING_SHA_1_KEYS

}  // namespace

std::string user_database_path(std::string_view data_dir) { return std::string(data_dir) + "/users.sqlite"; }

Result<std::unique_ptr<UserDatabase>> UserDatabase::open(storage::FileSystem& files, const std::string& path) {
  Database::Options options;
  options.durability = Database::Durability::full;
  options.locking = Database::Locking::exclusive;
  std::unique_ptr<Database> database = TRY(Database::open(files, path, options));
  TRY(database->execute("PRAGMA foreign_keys = ON"));
  TRY(migrate(*database));
  std::unique_ptr<UserDatabase> opened(new UserDatabase(std::move(database)));
  TRY(opened->look_for_lacking());
  return opened;
}

Result<std::optional<User>> UserDatabase::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  Statement row = TRY(database_->prepare("SELECT name, enabled, created FROM users WHERE key = ?"));
  row.bind_text(1, user_key(name));
  if (!TRY(row.step())) return std::optional<User>();
  return std::optional<User>(read_user(row));
}

Result<std::vector<Verifier>> UserDatabase::verifiers(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const std::optional<std::int64_t> user = TRY(user_id(name));
  if (!user) return failure(ErrorKind::not_found, "No such user");
  return read_verifiers(*user);
}

Result<std::vector<User>> UserDatabase::list() {
  const std::lock_guard lock(mutex_);
  Statement row = TRY(database_->prepare("SELECT name, enabled, created FROM users ORDER BY name"));
  std::vector<User> found;
  while (TRY(row.step())) found.push_back(read_user(row));
  return found;
}

Outcome UserDatabase::add(const User& user, const std::vector<Verifier>& verifiers) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = TRY(Transaction::begin(*database_));
  if (TRY(user_id(user.name))) return failure(ErrorKind::already_exists, "There is already a user of that name");
  Statement insert = TRY(database_->prepare("INSERT INTO users (key, name, enabled, created) VALUES (?, ?, ?, ?)"));
  insert.bind_text(1, user_key(user.name)).bind_text(2, user.name).bind(3, user.enabled ? 1 : 0).bind(4, user.created);
  TRY(insert.run());
  const std::int64_t added = database_->last_insert_rowid();
  TRY(insert_verifiers(added, verifiers));
  TRY(transaction.commit());
  return note_sha_1_keys(added);
}

Outcome UserDatabase::set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = TRY(Transaction::begin(*database_));
  const std::optional<std::int64_t> user = TRY(user_id(name));
  if (!user) return failure(ErrorKind::not_found, "No such user");
  {
    Statement clear = TRY(database_->prepare("DELETE FROM verifiers WHERE user = ?"));
    TRY(clear.bind(1, *user).run());
  }
  TRY(insert_verifiers(*user, verifiers));
  TRY(transaction.commit());
  return note_sha_1_keys(*user);
}

Outcome UserDatabase::add_verifier(std::string_view name, const Verifier& verifier, const std::vector<Verifier>& seen) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = TRY(Transaction::begin(*database_));
  const std::optional<std::int64_t> user = TRY(user_id(name));
  if (!user) return failure(ErrorKind::not_found, "No such user");
  if (!are_same(TRY(read_verifiers(*user)), seen)) {
    return failure(ErrorKind::in_use, "The password was changed meanwhile");
  }
  TRY(insert_verifiers(*user, {verifier}));
  TRY(transaction.commit());
  return note_sha_1_keys(*user);
}

Outcome UserDatabase::set_enabled(std::string_view name, bool enabled) {
  const std::lock_guard lock(mutex_);
  Statement update = TRY(database_->prepare("UPDATE users SET enabled = ? WHERE key = ?"));
  update.bind(1, enabled ? 1 : 0).bind_text(2, user_key(name));
  TRY(update.run());
  if (database_->changes() == 0) return failure(ErrorKind::not_found, "No such user");
  return {};
}

Outcome UserDatabase::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const std::optional<std::int64_t> user = TRY(user_id(name));
  if (!user) return failure(ErrorKind::not_found, "No such user");
  {
    Statement erase = TRY(database_->prepare("DELETE FROM users WHERE id = ?"));
    TRY(erase.bind(1, *user).run());
  }
  return note_sha_1_keys(*user);
}

Outcome UserDatabase::rename(std::string_view name, const std::string& to) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = TRY(Transaction::begin(*database_));
  const std::optional<std::int64_t> user = TRY(user_id(name));
  if (!user) return failure(ErrorKind::not_found, "No such user");
  const std::optional<std::int64_t> other = TRY(user_id(to));
  if (other && *other != *user) {
    return failure(ErrorKind::already_exists, "There is already a user of that name");
  }
  {
    Statement update = TRY(database_->prepare("UPDATE users SET key = ?, name = ? WHERE id = ?"));
    update.bind_text(1, user_key(to)).bind_text(2, to).bind(3, *user);
    TRY(update.run());
  }
  return transaction.commit();
}

// The caller holds the mutex.
Result<std::optional<std::int64_t>> UserDatabase::user_id(std::string_view name) {
  Statement row = TRY(database_->prepare("SELECT id FROM users WHERE key = ?"));
  row.bind_text(1, user_key(name));
  if (!TRY(row.step())) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(row.integer(0));
}

// The caller holds the mutex.
Result<std::vector<Verifier>> UserDatabase::read_verifiers(std::int64_t user) {
  Statement row = TRY(database_->prepare("SELECT verifier FROM verifiers WHERE user = ? ORDER BY id"));
  row.bind(1, user);
  std::vector<Verifier> found;
  while (TRY(row.step())) found.push_back(TRY(verifier_from_text(row.text(0))));
  return found;
}

// The caller holds the mutex and a transaction.
Outcome UserDatabase::insert_verifiers(std::int64_t user, const std::vector<Verifier>& verifiers) {
  Statement insert = TRY(database_->prepare("INSERT INTO verifiers (user, verifier) VALUES (?, ?)"));
  for (const Verifier& verifier : verifiers) {
    insert.bind(1, user).bind_text(2, to_text(verifier).reveal());
    TRY(insert.rerun());
  }
  return {};
}

// The caller holds the mutex.
Result<bool> UserDatabase::lacks_sha_1_keys(std::int64_t user) {
  Statement row = TRY(database_->prepare(this_one_lacking));
  row.bind(1, user);
  return row.step();
}

// Reads all users if nobody lacks them, so it is asked only when the one who was known to has them now.
Outcome UserDatabase::look_for_lacking() {
  Statement row = TRY(database_->prepare(anybody_lacking));
  lacks_sha_1_ = TRY(row.step()) ? row.integer(0) : nobody;
  return {};
}

// After a change of this user, who may be gone. The caller holds the mutex.
Outcome UserDatabase::note_sha_1_keys(std::int64_t user) {
  if (TRY(lacks_sha_1_keys(user))) {
    lacks_sha_1_ = user;
    return {};
  }
  return lacks_sha_1_ == user ? look_for_lacking() : Outcome();
}

}  // namespace postkeep::auth
