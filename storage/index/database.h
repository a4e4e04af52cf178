// Database: the one place that calls sqlite3_*. Used by storage/index and by auth's user database.
// A Database and its statements belong to one thread at a time. Errors: corruption for a damaged or
// foreign file, in_use for a locked one, over_quota for a full disk, already_exists for a broken constraint,
// server_bug for bad SQL, else unavailable; detail has SQLite's text, never values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace postkeep::storage {

class FileSystem;
class Database;

// Removes what SQLite keeps beside a database that is closed: before the database itself goes or is put aside, for an
// old WAL beside a new database would be played into it. No error if nothing is there.
Outcome remove_files_beside(FileSystem& files, const std::string& database_path);

// A prepared statement in use. Bind, then step until it says there is no row; the destructor resets
// it, so that it holds no lock. Columns count from 0, parameters from 1.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind_text(int parameter, std::string_view value);  // copied
  Statement& bind_blob(int parameter, std::string_view value);  // copied
  Statement& bind_null(int parameter);

  Result<bool> step();  // true: a row is there
  Outcome run();        // steps to the end, rows ignored
  Outcome rerun();      // run(), then reset for the next binding: for loops of inserts

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step
  std::string_view blob(int column) const;  // likewise
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement);
  Database* database_;
  sqlite3_stmt* statement_;
  int bind_error_ = 0;
};

// A write transaction (BEGIN IMMEDIATE); rolled back by the destructor unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Outcome commit();  // durable if the database was opened with Durability::full

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

class Database {
 public:
  enum class Durability { full, normal };    // PRAGMA synchronous; full: COMMIT survives a power cut
  enum class Locking { exclusive, shared };  // exclusive: no shared memory file, one process
  struct Options {
    Durability durability = Durability::full;
    Locking locking = Locking::exclusive;
    int cache_kib = 256;  // page cache of this connection
    int wal_autocheckpoint_pages = 1000;
    bool keeps_wal = false;  // the WAL stays, empty, when the database is closed: it need not be made the next time
  };

  // Opens or creates in WAL mode, on the file system's VFS.
  static Result<std::unique_ptr<Database>> open(FileSystem& files, const std::string& path, const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements without results: schema, pragmas.
  Outcome execute(const char* sql);
  // Prepared once per connection and SQL text, then reused. `sql` must be a literal: its address is the
  // key. One statement in use per text at a time.
  Result<Statement> prepare(const char* sql);
  std::int64_t last_insert_rowid() const;
  std::int64_t changes() const;
  Result<std::int64_t> user_version();
  Outcome set_user_version(std::int64_t version);
  bool in_transaction() const;  // a write that failed may have ended it
  Outcome quick_check();        // corruption if the file is damaged
  Outcome checkpoint();         // moves the WAL into the database and truncates it
  // Statements run since the last call, for tests that count work.
  std::uint64_t take_step_count();

 private:
  Database();
  friend class Statement;
  friend class Transaction;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postkeep::storage
