#include "auth/last_logins.h"

#include <utility>

#include "auth/user_name.h"

namespace postkeep::auth {

namespace {

using storage::Database;
using storage::Statement;
using storage::Transaction;

constexpr std::int64_t schema_version = 1;
// `key` is user_key(name).
constexpr const char* schema =
    "CREATE TABLE logins (key TEXT NOT NULL, protocol TEXT NOT NULL, user TEXT NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY (key, protocol)) STRICT, WITHOUT ROWID;";

LastLogin read_login(const Statement& row) {
  LastLogin login;
  login.user = std::string(row.text(0));
  login.protocol = std::string(row.text(1));
  login.time = row.integer(2);
  return login;
}

}  // namespace

std::string last_logins_path(std::string_view data_dir) { return std::string(data_dir) + "/logins.sqlite"; }

Result<std::unique_ptr<LastLogins>> LastLogins::open(storage::FileSystem& files, const std::string& path) {
  Database::Options options;
  options.durability = Database::Durability::normal;  // no sync at each batch
  options.locking = Database::Locking::exclusive;
  options.cache_kib = 64;
  std::unique_ptr<Database> database = TRY(Database::open(files, path, options));
  const std::int64_t version = TRY(database->user_version());
  if (version > schema_version) {
    return failure(ErrorKind::cannot, "The file of last logins was written by a newer version of Postkeep");
  }
  if (version < schema_version) {
    Transaction transaction = TRY(Transaction::begin(*database));
    TRY(database->execute(schema));
    TRY(database->set_user_version(schema_version));
    TRY(transaction.commit());
  }
  return std::unique_ptr<LastLogins>(new LastLogins(std::move(database)));
}

Outcome LastLogins::record(std::span<const LastLogin> logins) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = TRY(Transaction::begin(*database_));
  {
    Statement insert =
        TRY(database_->prepare("INSERT INTO logins (key, protocol, user, time) VALUES (?, ?, ?, ?)"
                               " ON CONFLICT DO UPDATE SET time = max(time, excluded.time), user = excluded.user"));
    for (const LastLogin& login : logins) {
      insert.bind_text(1, user_key(login.user)).bind_text(2, login.protocol).bind_text(3, login.user);
      TRY(insert.bind(4, login.time).rerun());
    }
  }
  return transaction.commit();
}

Result<std::vector<LastLogin>> LastLogins::of(std::string_view user) {
  const std::lock_guard lock(mutex_);
  Statement row = TRY(database_->prepare("SELECT user, protocol, time FROM logins WHERE key = ? ORDER BY protocol"));
  row.bind_text(1, user_key(user));
  std::vector<LastLogin> found;
  while (TRY(row.step())) found.push_back(read_login(row));
  return found;
}

Result<std::vector<LastLogin>> LastLogins::all() {
  const std::lock_guard lock(mutex_);
  Statement row = TRY(database_->prepare("SELECT user, protocol, time FROM logins ORDER BY key, protocol"));
  std::vector<LastLogin> found;
  while (TRY(row.step())) found.push_back(read_login(row));
  return found;
}

Outcome LastLogins::rename(std::string_view from, std::string_view to) {
  const std::lock_guard lock(mutex_);
  Statement update = TRY(database_->prepare("UPDATE OR REPLACE logins SET key = ?, user = ? WHERE key = ?"));
  return update.bind_text(1, user_key(to)).bind_text(2, to).bind_text(3, user_key(from)).run();
}

Outcome LastLogins::forget(std::string_view user) {
  const std::lock_guard lock(mutex_);
  Statement remove = TRY(database_->prepare("DELETE FROM logins WHERE key = ?"));
  return remove.bind_text(1, user_key(user)).run();
}

}  // namespace postkeep::auth
