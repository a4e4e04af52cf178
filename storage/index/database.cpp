#include "storage/index/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <unordered_map>
#include <utility>

#include "protocol/base/ensure.h"
#include "storage/file_system.h"

namespace postkeep::storage {
namespace {

constexpr int shared_busy_timeout_ms = 5000;
// A WAL that one large change blew up is cut back to this at the next checkpoint.
constexpr int journal_size_limit_octets = 4 * 1024 * 1024;

ErrorKind kind_of_code(int extended, int system_errno) {
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return ErrorKind::corruption;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::in_use;
    case SQLITE_FULL:
      return ErrorKind::over_quota;
    case SQLITE_CONSTRAINT:
      return ErrorKind::already_exists;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return ErrorKind::no_permission;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
      return ErrorKind::server_bug;
    default:
      break;
  }
  return system_errno == ENOSPC || system_errno == EDQUOT ? ErrorKind::over_quota : ErrorKind::unavailable;
}

const char* text_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::corruption:
      return "A mail index is damaged";
    case ErrorKind::in_use:
      return "A mail index is in use";
    case ErrorKind::over_quota:
      return "No space left for mail";
    case ErrorKind::already_exists:
      return "Already exists";
    default:
      return "A mail index failed; try again later";
  }
}

// Of the last call of the file system that failed, whatever file it was about.
int last_errno(sqlite3* connection) {
  sqlite3_vfs* vfs = nullptr;
  sqlite3_file_control(connection, nullptr, SQLITE_FCNTL_VFS_POINTER, &vfs);
  return vfs != nullptr ? vfs->xGetLastError(vfs, 0, nullptr) : 0;
}

// Why a call failed. SQLite keeps the errno of a failed statement, but neither that of a file that it could not delete
// nor that of a failed COMMIT, whose writes go to the WAL or journal: that file knows it.
int errno_of(sqlite3* connection, int code) {
  if (code == SQLITE_IOERR_DELETE) return last_errno(connection);
  const bool is_write = code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
  if (!is_write) return sqlite3_system_errno(connection);
  sqlite3_file* journal = nullptr;
  int last = 0;
  sqlite3_file_control(connection, nullptr, SQLITE_FCNTL_JOURNAL_POINTER, &journal);
  if (journal != nullptr && journal->pMethods != nullptr) {
    journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &last);
  }
  return last != 0 ? last : last_errno(connection);  // a journal is closed by now
}

Error error_of_code(sqlite3* connection, int code, std::string_view doing) {
  const int system_errno = connection != nullptr ? errno_of(connection, code) : 0;
  const ErrorKind kind = kind_of_code(code, system_errno);
  std::string detail(doing);
  detail.append(": ").append(sqlite3_errstr(code)).append(" (").append(std::to_string(code)).append(")");
  // SQLite's message of a constraint names table and column, that of bad SQL the token; neither has values.
  if (connection != nullptr && sqlite3_extended_errcode(connection) == code) {
    detail.append(": ").append(sqlite3_errmsg(connection));
  }
  return Error(kind, text_of(kind), std::move(detail));
}

}  // namespace

struct Database::Impl {
  sqlite3* connection = nullptr;
  std::string path;
  std::unordered_map<const void*, sqlite3_stmt*> statements;  // by the address of the SQL literal
  std::uint64_t steps = 0;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const auto& [sql, statement] : statements) sqlite3_finalize(statement);
    sqlite3_close_v2(connection);
  }

  tl::unexpected<Error> failed(int code, std::string_view doing) const {
    return tl::unexpected<Error>(error_of_code(connection, code, std::string(doing) + " " + path));
  }
};

// --- Statement ---

Statement::Statement(Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

// Binding cannot fail but by a bug or for want of memory, so its error is kept and told by step().
Statement& Statement::bind(int parameter, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, parameter, value); code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code = sqlite3_bind_text64(statement_, parameter, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";  // a null pointer would bind NULL
  const int code = sqlite3_bind_blob64(statement_, parameter, data, value.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  if (const int code = sqlite3_bind_null(statement_, parameter); code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Result<bool> Statement::step() {
  Database::Impl& impl = *database_->impl_;
  if (bind_error_ != SQLITE_OK) return impl.failed(std::exchange(bind_error_, SQLITE_OK), "bind");
  ++impl.steps;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  tl::unexpected<Error> error = impl.failed(code, "step");
  sqlite3_reset(statement_);
  return error;
}

Outcome Statement::run() {
  while (TRY(step())) {
  }
  return {};
}

Outcome Statement::rerun() {
  TRY(run());
  sqlite3_reset(statement_);
  return {};
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

// --- Transaction ---

Result<Transaction> Transaction::begin(Database& database) {
  Statement statement = TRY(database.prepare("BEGIN IMMEDIATE"));
  TRY(statement.run());
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // SQLite may have rolled back by itself (disk full, I/O error); then there is nothing to do.
  if (sqlite3_get_autocommit(database_->impl_->connection) != 0) return;
  (void)database_->execute("ROLLBACK");
}

Outcome Transaction::commit() {
  ENSURE(database_ != nullptr, "a transaction is committed once");
  {
    Statement statement = TRY(database_->prepare("COMMIT"));
    TRY(statement.run());
  }
  database_ = nullptr;
  return {};
}

// --- Database ---

Database::Database() : impl_(std::make_unique<Impl>()) {}
Database::~Database() = default;

namespace {

// SQLite counts the memory that it takes, for functions that nobody here calls, and takes one lock of the whole process
// for it each time: threads on different databases then wait for each other. Refused, without harm, once SQLite is in
// use.
void count_no_memory() {
  static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(code);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(FileSystem& files, const std::string& path, const Options& options) {
  count_no_memory();
  // Made by us if it is not there, since SQLite would make it readable for others.
  if (!files.info(path)) TRY(files.create(path, FileSystem::Existing::append));

  std::unique_ptr<Database> database(new Database());
  Impl& impl = *database->impl_;
  impl.path = path;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &impl.connection, flags, files.sqlite_vfs());
  if (code != SQLITE_OK) return impl.failed(code, "open");
  sqlite3_db_config(impl.connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(impl.connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);

  if (options.keeps_wal) {
    int keeps = 1;
    (void)sqlite3_file_control(impl.connection, nullptr, SQLITE_FCNTL_PERSIST_WAL, &keeps);
  }

  const bool exclusive = options.locking == Locking::exclusive;
  if (!exclusive) sqlite3_busy_timeout(impl.connection, shared_busy_timeout_ms);
  // Before journal_mode: a WAL entered in exclusive mode never makes the shared memory file.
  TRY(database->execute(exclusive ? "PRAGMA locking_mode=EXCLUSIVE" : "PRAGMA locking_mode=NORMAL"));
  TRY(database->execute("PRAGMA journal_mode=WAL"));
  TRY(database->execute(options.durability == Durability::full ? "PRAGMA synchronous=FULL"
                                                               : "PRAGMA synchronous=NORMAL"));
  const std::string sizes = "PRAGMA cache_size=-" + std::to_string(options.cache_kib) +
                            "; PRAGMA wal_autocheckpoint=" + std::to_string(options.wal_autocheckpoint_pages) +
                            "; PRAGMA journal_size_limit=" + std::to_string(journal_size_limit_octets) +
                            "; PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON";
  TRY(database->execute(sizes.c_str()));
  // Nothing above reads the file; a file that is no database, or is held, must fail here and not later.
  TRY(database->user_version());
  return database;
}

Outcome Database::execute(const char* sql) {
  ++impl_->steps;
  const int code = sqlite3_exec(impl_->connection, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return impl_->failed(code, "execute");
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt*& statement = impl_->statements[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(impl_->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      impl_->statements.erase(sql);
      return impl_->failed(code, "prepare");
    }
  }
  ENSURE(sqlite3_stmt_busy(statement) == 0, std::string("one statement in use per text: ") + sql);
  return Statement(*this, statement);
}

std::int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(impl_->connection); }
std::int64_t Database::changes() const { return sqlite3_changes64(impl_->connection); }

Result<std::int64_t> Database::user_version() {
  Statement statement = TRY(prepare("PRAGMA user_version"));
  TRY(statement.step());
  return statement.integer(0);
}

Outcome Database::set_user_version(std::int64_t version) {
  return execute(("PRAGMA user_version=" + std::to_string(version)).c_str());
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(impl_->connection) == 0; }

Outcome Database::quick_check() {
  Statement statement = TRY(prepare("PRAGMA quick_check(1)"));
  TRY(statement.step());
  if (statement.text(0) == "ok") return {};
  return failure(ErrorKind::corruption, text_of(ErrorKind::corruption),
                 "quick_check " + impl_->path + ": " + std::string(statement.text(0)));
}

Outcome Database::checkpoint() {
  Statement statement = TRY(prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
  TRY(statement.step());
  if (statement.integer(0) != 0) return impl_->failed(SQLITE_BUSY, "checkpoint");
  return {};
}

Outcome remove_files_beside(FileSystem& files, const std::string& database_path) {
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    Outcome gone = files.unlink(database_path + suffix);
    if (!gone && gone.error().kind != ErrorKind::not_found) return gone;
  }
  return {};
}

std::uint64_t Database::take_step_count() { return std::exchange(impl_->steps, 0); }

}  // namespace postkeep::storage
