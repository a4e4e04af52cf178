// The simulated disk itself: it forgets what it may forget, keeps what it must, and SQLite on it does as on a real one.
#include "tests/support/simulated_disk.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <set>

#include "storage/index/database.h"
#include "tests/support/sim/breakage.h"

namespace postkeep::test {
namespace {

using storage::Database;
using storage::FileSystem;
using storage::Statement;
using Existing = FileSystem::Existing;
using Kind = SurvivalPlan::Kind;

constexpr SurvivalPlan nothing{Kind::nothing, 0};
constexpr SurvivalPlan everything{Kind::everything, 0};

std::string content(FileSystem& files, const std::string& path) {
  const auto read = storage::read_file(files, path, 1'000'000);
  return read ? *read : "(" + std::string(to_string(read.error().kind)) + ")";
}

void write(FileSystem& files, const std::string& path, std::string_view bytes) {
  REQUIRE(files.create(path, Existing::append).value()->append(bytes));
}

void write_synced(FileSystem& files, const std::string& path, std::string_view bytes) {
  const auto file = files.create(path, Existing::append).value();
  REQUIRE(file->append(bytes));
  REQUIRE(file->sync());
  REQUIRE(files.sync_directory(storage::parent_directory(path)));
}

// What `path` holds after the cut under many random plans.
std::set<std::string> outcomes(const SimulatedDisk& disk, const std::string& path) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    seen.insert(content(*disk.after_power_cut({Kind::random, seed}), path));
  }
  return seen;
}

TEST_CASE("a file that was synced in a synced directory survives every power cut") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "hello");
  for (const SurvivalPlan& plan : {nothing, everything}) CHECK(content(*disk.after_power_cut(plan), "/a") == "hello");
  CHECK(outcomes(disk, "/a") == std::set<std::string>{"hello"});
}

TEST_CASE("a synced file whose directory was not synced may be gone") {
  SimulatedDisk disk;
  REQUIRE(disk.create("/a", Existing::fail).value()->append("x"));
  const auto file = disk.create("/b", Existing::fail).value();
  REQUIRE(file->append("hello"));
  REQUIRE(file->sync());
  CHECK(content(*disk.after_power_cut(nothing), "/b") == "(not_found)");
  CHECK(content(*disk.after_power_cut(everything), "/b") == "hello");
  CHECK(outcomes(disk, "/b") == std::set<std::string>{"hello", "(not_found)"});
}

TEST_CASE("an entry that is durable may lead to a file whose content is not") {
  SimulatedDisk disk;
  write(disk, "/a", "hello");
  REQUIRE(disk.sync_directory("/"));
  CHECK(content(*disk.after_power_cut(nothing), "/a").empty());
  const std::set<std::string> seen = outcomes(disk, "/a");
  CHECK(seen.contains("hello"));
  CHECK(seen.contains(""));
  CHECK(seen.contains(std::string(5, '\0')));
}

TEST_CASE("writes that were not synced are torn and reordered, and never touch what was synced") {
  SimulatedDisk disk;
  write_synced(disk, "/a", std::string(600, 'o'));
  write(disk, "/a", std::string(600, '1'));
  write(disk, "/a", std::string(600, '2'));
  bool torn = false;
  bool reordered = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string found = content(*disk.after_power_cut({Kind::random, seed}), "/a");
    CHECK(found.substr(0, 600) == std::string(600, 'o'));
    const bool has_first = found.find('1') != std::string::npos;
    const bool whole_first = found.find(std::string(600, '1')) != std::string::npos;
    torn = torn || (has_first && !whole_first);
    reordered = reordered || (found.find('2') != std::string::npos && !whole_first);
  }
  CHECK(torn);
  CHECK(reordered);
}

TEST_CASE("a rename happens or does not, and never loses the file") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "new");
  write_synced(disk, "/b", "old");
  REQUIRE(disk.rename("/a", "/b"));
  CHECK(content(*disk.after_power_cut(nothing), "/a") == "new");
  CHECK(content(*disk.after_power_cut(nothing), "/b") == "old");
  CHECK(content(*disk.after_power_cut(everything), "/b") == "new");
  CHECK(outcomes(disk, "/b") == std::set<std::string>{"old", "new"});
  CHECK(outcomes(disk, "/a") == std::set<std::string>{"new", "(not_found)"});
  REQUIRE(disk.sync_directory("/"));
  CHECK(content(*disk.after_power_cut(nothing), "/b") == "new");
  CHECK(content(*disk.after_power_cut(nothing), "/a") == "(not_found)");
}

TEST_CASE("a rename to another directory is durable with that one, and the file has one name at any time") {
  SimulatedDisk disk;
  REQUIRE(disk.make_directory("/d"));
  write_synced(disk, "/a", "x");
  REQUIRE(disk.rename("/a", "/d/a"));
  REQUIRE(disk.sync_directory("/"));
  CHECK(content(*disk.after_power_cut(nothing), "/a") == "x");
  CHECK(content(*disk.after_power_cut(nothing), "/d/a") == "(not_found)");
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto after = disk.after_power_cut({Kind::random, seed});
    CHECK(after->info("/a").has_value() != after->info("/d/a").has_value());
  }
  REQUIRE(disk.sync_directory("/d"));
  CHECK(outcomes(disk, "/d/a") == std::set<std::string>{"x"});
  CHECK(outcomes(disk, "/a") == std::set<std::string>{"(not_found)"});
}

TEST_CASE("a rename there and back leaves the file where it was, whichever directory is synced first") {
  for (const char* first : {"/", "/d"}) {
    SimulatedDisk disk;
    REQUIRE(disk.make_directory("/d"));
    write_synced(disk, "/a", "x");
    REQUIRE(disk.rename("/a", "/d/b"));
    REQUIRE(disk.rename("/d/b", "/a"));
    for (const char* directory : {first, "/d", "/"}) REQUIRE(disk.sync_directory(directory));
    CHECK(outcomes(disk, "/a") == std::set<std::string>{"x"});
    CHECK(outcomes(disk, "/d/b") == std::set<std::string>{"(not_found)"});
  }
}

TEST_CASE("an unlinked file may come back until its directory is synced") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "x");
  REQUIRE(disk.unlink("/a"));
  CHECK(outcomes(disk, "/a") == std::set<std::string>{"x", "(not_found)"});
  REQUIRE(disk.sync_directory("/"));
  CHECK(content(*disk.after_power_cut(nothing), "/a") == "(not_found)");
}

TEST_CASE("hard links, times and locks are as on a real disk, and locks end with the power") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "x");
  REQUIRE(disk.link("/a", "/b"));
  CHECK(disk.info("/a")->inode == disk.info("/b")->inode);
  CHECK(disk.info("/a")->links == 2);
  CHECK(disk.link("/a", "/b").error().kind == ErrorKind::already_exists);
  CHECK(disk.rename_new("/a", "/b").error().kind == ErrorKind::already_exists);
  const storage::FileTime time{std::chrono::seconds(5)};
  REQUIRE(disk.set_modified("/a", time));
  CHECK(disk.info("/b")->modified == time);
  CHECK(disk.after_power_cut(nothing)->info("/a")->modified != time);
  REQUIRE(disk.open_read("/a").value()->sync());
  CHECK(disk.after_power_cut(nothing)->info("/a")->modified == time);
  const auto held = disk.lock("/lock").value();
  CHECK(disk.lock("/lock").error().kind == ErrorKind::in_use);
  CHECK(disk.after_power_cut(everything)->lock("/lock"));
}

TEST_CASE("an open file outlives its name") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "x");
  const auto file = disk.open_read("/a").value();
  REQUIRE(disk.unlink("/a"));
  char octet = 0;
  CHECK(file->read_at(0, {&octet, 1}).value() == 1);
  CHECK(octet == 'x');
}

TEST_CASE("the call that is told to fails, once, and a failed write is a short one") {
  SimulatedDisk disk;
  disk.fail_at(2, ENOSPC);
  const auto file = disk.create("/a", Existing::fail).value();
  CHECK(file->append("12345678").error().kind == ErrorKind::over_quota);
  CHECK(content(disk, "/a") == "1234");
  CHECK(file->append("x"));
  disk.fill_up_at(disk.calls() + 1);
  CHECK(file->append("x").error().kind == ErrorKind::over_quota);
  CHECK(disk.create("/b", Existing::fail).error().kind == ErrorKind::over_quota);
  CHECK(file->sync());
  CHECK(disk.unlink("/a"));
}

TEST_CASE("what a failed sync lost is not made durable by a later one that succeeds") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "kept ");
  const auto file = disk.create("/a", Existing::append).value();
  REQUIRE(file->append("lost"));
  disk.fail_at(disk.calls() + 1, EIO);
  CHECK(file->sync().error().kind == ErrorKind::unavailable);
  CHECK(content(disk, "/a") == "kept lost");
  CHECK(file->sync());
  CHECK(content(*disk.after_power_cut(nothing), "/a") == "kept ");
  CHECK(content(*disk.after_power_cut(everything), "/a") == "kept ");

  REQUIRE(disk.rename("/a", "/b"));
  disk.fail_at(disk.calls() + 1, EIO);
  CHECK(!disk.sync_directory("/"));
  CHECK(disk.sync_directory("/"));
  CHECK(content(*disk.after_power_cut(everything), "/b") == "(not_found)");
}

TEST_CASE("after the power cut nothing happens any more") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "x");
  disk.cut_power_at(disk.changes() + 2);
  CHECK(disk.make_directory("/d"));
  CHECK(!disk.power_is_out());
  CHECK(!disk.make_directory("/e"));
  CHECK(disk.power_is_out());
  CHECK(!disk.unlink("/a"));
  CHECK(!disk.open_read("/a"));
  const auto after = disk.after_power_cut(everything);
  CHECK(content(*after, "/a") == "x");
  CHECK(after->info("/d"));
  CHECK(!after->info("/e"));
}

TEST_CASE("calls are counted by kind") {
  SimulatedDisk disk;
  write_synced(disk, "/a", "x");
  CHECK(disk.calls() == 4);
  CHECK(disk.count(Call::sync) == 1);
  CHECK(disk.count(Call::sync_directory) == 1);
  disk.reset_counts();
  CHECK(!disk.info("/none"));
  CHECK(disk.count(Call::info) == 1);
  CHECK(disk.calls() == 1);
  CHECK(disk.changes() == 0);
}

TEST_CASE("replace_file leaves the old or the new content at every cut, and its broken variants do not") {
  const auto broken = [](auto make_files) {
    int count = 0;
    for (std::uint64_t change = 1; change <= 6; ++change) {
      SimulatedDisk disk;
      write_synced(disk, "/a", "old content");
      disk.cut_power_at(disk.changes() + change);
      {
        const std::unique_ptr<FileSystem> files = make_files(disk);
        const bool told = storage::replace_file(files ? *files : disk, "/a", "new content").has_value();
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
          const std::string found = content(*disk.after_power_cut({Kind::random, seed}), "/a");
          if (found != "new content" && (told || found != "old content")) ++count;
        }
      }
    }
    return count;
  };
  CHECK(broken([](SimulatedDisk&) { return std::unique_ptr<FileSystem>(); }) == 0);
  for (const char* name : {"nothing is synced", "a message is linked before it is written"}) {
    CHECK(broken([&](SimulatedDisk& disk) { return breakage(name).make(disk); }) > 0);
  }
}

// --- SQLite on it ---

std::int64_t rows(SimulatedDisk& disk) {
  const auto database = Database::open(disk, "/db", {}).value();
  REQUIRE(database->quick_check());
  Statement exists = database->prepare("SELECT count(*) FROM sqlite_schema WHERE name='t'").value();
  REQUIRE(exists.step().value());
  if (exists.integer(0) == 0) return -1;
  Statement count = database->prepare("SELECT count(*) FROM t").value();
  REQUIRE(count.step().value());
  return count.integer(0);
}

// Inserts rows one commit each until a call fails; how many commits were acknowledged.
std::int64_t insert_rows(SimulatedDisk& disk, const Database::Options& options, int wanted) {
  auto opened = Database::open(disk, "/db", options);
  if (!opened || !(*opened)->execute("CREATE TABLE IF NOT EXISTS t(i INTEGER PRIMARY KEY, pad)")) return -1;
  std::int64_t acknowledged = 0;
  for (; acknowledged < wanted; ++acknowledged) {
    if (!(*opened)->execute("INSERT INTO t(pad) VALUES(hex(zeroblob(300)))")) break;
  }
  // Cut while it is open: a clean close would checkpoint and sync.
  if (!disk.power_is_out()) disk.cut_power_at(disk.changes() + 1);
  return acknowledged;
}

// Runs the inserts with the power cut at each change in turn; how many of the tries lost what was acknowledged, or
// had a row that was not even tried.
constexpr int commits = 12;
int lost_commits(const Database::Options& options, int& tries) {
  int lost = 0;
  std::int64_t acknowledged = 0;
  for (std::uint64_t change = 1; acknowledged < commits; ++change) {
    SimulatedDisk disk;
    disk.cut_power_at(change);
    acknowledged = insert_rows(disk, options, commits);
    for (std::uint64_t plan = 0; plan < 6; ++plan) {
      const auto after = disk.after_power_cut({plan == 0 ? Kind::nothing : Kind::random, plan});
      const std::int64_t found = rows(*after);
      ++tries;
      if (found < acknowledged || found > acknowledged + 1) ++lost;
    }
  }
  return lost;
}

TEST_CASE("SQLite with synchronous=FULL keeps every commit over a power cut at any call") {
  Database::Options options;
  options.wal_autocheckpoint_pages = 4;  // checkpoints fall among the commits
  int tries = 0;
  CHECK(lost_commits(options, tries) == 0);
  MESSAGE("cuts x plans tried: " << tries);
}

TEST_CASE("SQLite with synchronous=NORMAL is caught losing commits, and never damages the file") {
  Database::Options options;
  options.durability = Database::Durability::normal;
  int tries = 0;
  CHECK(lost_commits(options, tries) > 0);
}

TEST_CASE("SQLite files are unreadable or lose commits when nothing was synced") {
  Database::Options options;
  options.durability = Database::Durability::normal;
  SimulatedDisk disk;
  const auto database = Database::open(disk, "/db", options).value();
  REQUIRE(database->execute("PRAGMA synchronous=OFF"));
  REQUIRE(database->execute("CREATE TABLE t(i)"));
  for (int i = 0; i < 50; ++i) REQUIRE(database->execute("INSERT INTO t VALUES(hex(zeroblob(500)))"));
  REQUIRE(database->checkpoint());
  int damaged = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto after = disk.after_power_cut({Kind::random, seed});
    const auto opened = Database::open(*after, "/db", {});
    if (!opened || !(*opened)->quick_check() || !(*opened)->execute("SELECT * FROM t")) ++damaged;
  }
  CHECK(damaged > 0);
}

TEST_CASE("a full disk is over_quota through SQLite, and a failed sync fails the commit") {
  SimulatedDisk disk;
  const auto database = Database::open(disk, "/db", {}).value();
  REQUIRE(database->execute("CREATE TABLE t(i)"));
  disk.fill_up_at(disk.calls() + 1);
  CHECK(database->execute("INSERT INTO t VALUES(1)").error().kind == ErrorKind::over_quota);
  disk.fill_up_at(~0ULL);
  REQUIRE(database->execute("INSERT INTO t VALUES(1)"));
  disk.fail_next(Call::sync, EIO);
  const Outcome unsynced = database->execute("INSERT INTO t VALUES(2)");
  REQUIRE(!unsynced);
  CHECK(unsynced.error().kind == ErrorKind::unavailable);
}

TEST_CASE("a database on the simulated disk is held exclusively") {
  SimulatedDisk disk;
  const auto database = Database::open(disk, "/db", {}).value();
  REQUIRE(database->execute("CREATE TABLE t(i)"));
  CHECK(Database::open(disk, "/db", {}).error().kind == ErrorKind::in_use);
  CHECK(!disk.info("/db-shm"));
}

}  // namespace
}  // namespace postkeep::test
