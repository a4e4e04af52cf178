#include "storage/index/database.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "protocol/base/ensure.h"
#include "storage/file_system.h"
#include "storage/posix_file_system.h"
#include "tests/support/simulated_disk.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

struct DatabaseFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = posix_file_system();
  std::string path = directory / "index.sqlite";

  std::unique_ptr<Database> open(Database::Options options = {}) {
    auto database = Database::open(*files, path, options);
    REQUIRE_MESSAGE(database, database.error().detail);
    return std::move(*database);
  }
};

std::int64_t count(Database& database) {
  Statement statement = database.prepare("SELECT count(*) FROM t").value();
  REQUIRE(statement.step().value());
  return statement.integer(0);
}

TEST_CASE_FIXTURE(DatabaseFixture, "values of each type are read back as bound") {
  const auto database = open();
  REQUIRE(database->execute("CREATE TABLE t(i, t, b, n)"));
  const std::string bytes("a\0b", 3);
  {
    Statement insert = database->prepare("INSERT INTO t VALUES(?,?,?,?)").value();
    insert.bind(1, -(1LL << 62)).bind_text(2, "käse").bind_blob(3, bytes).bind_null(4);
    REQUIRE(insert.run());
  }
  Statement select = database->prepare("SELECT i, t, b, n FROM t").value();
  REQUIRE(select.step().value());
  CHECK(select.integer(0) == -(1LL << 62));
  CHECK(select.text(1) == "käse");
  CHECK(select.blob(2) == bytes);
  CHECK(select.is_null(3));
  CHECK(!select.step().value());
}

TEST_CASE_FIXTURE(DatabaseFixture, "an empty view is bound as an empty value and not as NULL") {
  const auto database = open();
  Statement statement = database->prepare("SELECT ?1 IS NULL, ?2 IS NULL").value();
  statement.bind_text(1, {}).bind_blob(2, {});
  REQUIRE(statement.step().value());
  CHECK(statement.integer(0) == 0);
  CHECK(statement.integer(1) == 0);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a database is in WAL mode, private, and makes no shared memory file") {
  const auto database = open();
  REQUIRE(database->execute("CREATE TABLE t(a)"));
  CHECK(std::filesystem::exists(path + "-wal"));
  CHECK(!std::filesystem::exists(path + "-shm"));
  struct stat s {};
  for (const std::string& file : {path, path + "-wal"}) {
    REQUIRE(::stat(file.c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
  }
}

TEST_CASE_FIXTURE(DatabaseFixture, "a transaction is rolled back unless committed") {
  const auto database = open();
  REQUIRE(database->execute("CREATE TABLE t(a)"));
  {
    const Transaction transaction = Transaction::begin(*database).value();
    REQUIRE(database->execute("INSERT INTO t VALUES(1)"));
  }
  CHECK(count(*database) == 0);
  {
    Transaction transaction = Transaction::begin(*database).value();
    REQUIRE(database->execute("INSERT INTO t VALUES(1)"));
    REQUIRE(transaction.commit());
  }
  CHECK(count(*database) == 1);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a second process is told in_use") {
  const auto database = open();
  REQUIRE(database->execute("CREATE TABLE t(a)"));
  const auto second = Database::open(*files, path, {});
  REQUIRE(!second);
  CHECK(second.error().kind == ErrorKind::in_use);
}

TEST_CASE_FIXTURE(DatabaseFixture, "two connections share a database opened as shared") {
  Database::Options options;
  options.locking = Database::Locking::shared;
  const auto one = open(options);
  REQUIRE(one->execute("CREATE TABLE t(a)"));
  const auto two = open(options);
  REQUIRE(two->execute("INSERT INTO t VALUES(1)"));
  CHECK(count(*one) == 1);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a file that is no database is corruption") {
  REQUIRE(replace_file(*files, path, std::string(8192, 'x')));
  CHECK(Database::open(*files, path, {}).error().kind == ErrorKind::corruption);
}

TEST_CASE_FIXTURE(DatabaseFixture, "quick_check finds a damaged page") {
  {
    const auto database = open();
    REQUIRE(database->execute("CREATE TABLE t(a)"));
    REQUIRE(
        database->execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) "
                          "INSERT INTO t SELECT 'a row of some length ' || i FROM n"));
    REQUIRE(database->quick_check());
    REQUIRE(database->checkpoint());
  }
  std::string bytes = read_file(*files, path, 10'000'000).value();
  bytes.replace(8192, 2048, std::string(2048, '\xff'));
  REQUIRE(replace_file(*files, path, bytes));
  const auto database = open();
  CHECK(database->quick_check().error().kind == ErrorKind::corruption);
}

TEST_CASE_FIXTURE(DatabaseFixture, "errors have a kind, and details without values") {
  const auto database = open();
  REQUIRE(database->execute("CREATE TABLE t(a UNIQUE)"));
  CHECK(database->execute("SELEKT").error().kind == ErrorKind::server_bug);
  CHECK(database->prepare("SELECT nothing FROM t").error().kind == ErrorKind::server_bug);
  Statement insert = database->prepare("INSERT INTO t VALUES(?)").value();
  REQUIRE(insert.bind_text(1, "secret").rerun());
  const Outcome again = insert.rerun();
  REQUIRE(!again);
  CHECK(again.error().kind == ErrorKind::already_exists);
  CHECK(again.error().detail.find("t.a") != std::string::npos);
  CHECK(again.error().detail.find("secret") == std::string::npos);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a parameter that does not exist fails the step") {
  const auto database = open();
  Statement statement = database->prepare("SELECT 1").value();
  CHECK(statement.bind(1, 5).step().error().kind == ErrorKind::server_bug);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a statement is prepared once, and its bindings do not outlive a use") {
  const auto database = open();
  static const char* const sql = "SELECT ?1";
  {
    Statement first = database->prepare(sql).value();
    REQUIRE(first.bind(1, 7).step().value());
    CHECK_THROWS_AS((void)database->prepare(sql), BugError);
  }
  Statement second = database->prepare(sql).value();
  REQUIRE(second.step().value());
  CHECK(second.is_null(0));
}

TEST_CASE_FIXTURE(DatabaseFixture, "user_version is kept and checkpoint empties the WAL") {
  {
    const auto database = open();
    CHECK(database->user_version().value() == 0);
    REQUIRE(database->set_user_version(12));
    REQUIRE(database->checkpoint());
    CHECK(files->info(path + "-wal")->size == 0);
  }
  CHECK(open()->user_version().value() == 12);
}

TEST_CASE_FIXTURE(DatabaseFixture, "steps are counted") {
  const auto database = open();
  REQUIRE(database->execute("CREATE TABLE t(a)"));
  (void)database->take_step_count();
  CHECK(count(*database) == 0);
  CHECK(database->take_step_count() == 1);
}

TEST_CASE("a full quota is told from a failing disk, also when COMMIT meets it") {
  test::SimulatedDisk disk;
  const auto database = Database::open(disk, "/index.sqlite", {}).value();
  REQUIRE(database->execute("CREATE TABLE t(x)"));
  for (const auto& [error_number, expected] :
       {std::pair(EDQUOT, ErrorKind::over_quota), std::pair(ENOSPC, ErrorKind::over_quota),
        std::pair(EIO, ErrorKind::unavailable)}) {
    Transaction transaction = Transaction::begin(*database).value();
    REQUIRE(database->execute("INSERT INTO t VALUES(1)"));
    disk.fail_next(test::Call::write, error_number);
    const Outcome committed = transaction.commit();
    REQUIRE_FALSE(committed);
    CHECK(to_string(committed.error().kind) == to_string(expected));
  }
}

}  // namespace
}  // namespace postkeep::storage
