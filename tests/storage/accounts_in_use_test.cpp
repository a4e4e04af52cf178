#include "storage/accounts_in_use.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/posix_file_system.h"
#include "tests/support/results.h"
#include "tests/support/simulated_disk.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::test {
namespace {

using storage::AccountsInUse;

const char list_path[] = "/data/postkeep-in-use";

std::unique_ptr<SimulatedDisk> disk_with_accounts() {
  auto disk = std::make_unique<SimulatedDisk>();
  for (const char* path : {"/data", "/data/mail", "/data/mail/anna", "/data/mail/bert", "/data/mail/carl"}) {
    REQUIRE(disk->make_directory(path));
  }
  for (const char* path : {"/", "/data", "/data/mail"}) REQUIRE(disk->sync_directory(path));
  return disk;
}

// One run of a server on a disk: the list is read when it starts.
struct Run {
  explicit Run(SimulatedDisk& disk) : list(disk, "/data", "/data/mail") { REQUIRE(list.open()); }
  AccountsInUse list;
};

std::unique_ptr<SimulatedDisk> after_cut(const SimulatedDisk& disk) {
  return disk.after_power_cut({SurvivalPlan::Kind::nothing, 0});
}

TEST_CASE("An account that is in use is doubtful to the run after a power cut, until it was closed") {
  const auto disk = disk_with_accounts();
  Run first(*disk);
  REQUIRE(first.list.enter("anna"));
  REQUIRE(first.list.enter("bert"));
  CHECK_FALSE(first.list.doubtful("anna"));
  const auto after = after_cut(*disk);
  Run second(*after);
  CHECK(second.list.doubtful("anna"));
  CHECK(second.list.doubtful("bert"));
  CHECK_FALSE(second.list.doubtful("carl"));
  REQUIRE(second.list.enter("anna"));
  second.list.leave("anna");
  CHECK_FALSE(second.list.doubtful("anna"));
  REQUIRE(second.list.shorten(1));
  Run third(*after);
  CHECK_FALSE(third.list.doubtful("anna"));
  CHECK(third.list.doubtful("bert"));
}

TEST_CASE("Entering again costs nothing while the account is on the list") {
  const auto disk = disk_with_accounts();
  Run run(*disk);
  REQUIRE(run.list.enter("anna"));
  REQUIRE(run.list.enter("bert"));
  run.list.leave("anna");
  disk->reset_counts();
  REQUIRE(run.list.enter("anna"));
  CHECK(disk->calls() == 0);
  REQUIRE(run.list.enter("carl"));
  CHECK(disk->count(Call::sync) == 1);
}

TEST_CASE("The list is shortened by those that left, once they are many") {
  const auto disk = disk_with_accounts();
  Run run(*disk);
  for (const char* account : {"anna", "bert", "carl"}) REQUIRE(run.list.enter(account));
  run.list.leave("anna");
  REQUIRE(run.list.shorten(2));
  Run reader(*disk);
  CHECK(reader.list.doubtful("anna"));
  run.list.leave("bert");
  disk->reset_counts();
  REQUIRE(run.list.shorten(2));
  CHECK(disk->count(Call::sync_directory) == 3);  // of the two accounts, and for the list
  const auto after = after_cut(*disk);
  Run next(*after);
  CHECK_FALSE(next.list.doubtful("anna"));
  CHECK_FALSE(next.list.doubtful("bert"));
  CHECK(next.list.doubtful("carl"));
}

TEST_CASE("Who comes back while the list is shortened stays on it") {
  const auto disk = disk_with_accounts();
  Run run(*disk);
  REQUIRE(run.list.enter("anna"));
  run.list.leave("anna");
  REQUIRE(run.list.enter("anna"));
  REQUIRE(run.list.shorten(0));
  Run next(*disk);
  CHECK(next.list.doubtful("anna"));
}

TEST_CASE("What cannot be listed is an error, and the list is written anew by whoever comes next") {
  const auto disk = disk_with_accounts();
  Run run(*disk);
  REQUIRE(run.list.enter("anna"));
  disk->fail_next(Call::sync, EIO);
  CHECK_FALSE(run.list.enter("bert"));
  REQUIRE(run.list.enter("carl"));
  const auto after = after_cut(*disk);
  Run next(*after);
  CHECK(next.list.doubtful("anna"));
  CHECK_FALSE(next.list.doubtful("bert"));
  CHECK(next.list.doubtful("carl"));
}

TEST_CASE("A directory that cannot be synced keeps all that left on the list") {
  const auto disk = disk_with_accounts();
  Run run(*disk);
  REQUIRE(run.list.enter("anna"));
  run.list.leave("anna");
  disk->fail_next(Call::sync_directory, EIO);
  CHECK_FALSE(run.list.shorten(1));
  Run next(*disk);
  CHECK(next.list.doubtful("anna"));
}

TEST_CASE("A torn line is not believed and not written behind") {
  const auto disk = disk_with_accounts();
  {
    Run run(*disk);
    REQUIRE(run.list.enter("anna"));
  }
  {
    const auto file = must(disk->create(list_path, storage::FileSystem::Existing::append));
    REQUIRE(file->append("bert ~0123"));
    REQUIRE(file->sync());
  }
  Run run(*disk);
  CHECK(run.list.doubtful("anna"));
  CHECK_FALSE(run.list.doubtful("bert"));
  REQUIRE(run.list.enter("carl"));
  Run next(*disk);
  CHECK(next.list.doubtful("anna"));
  CHECK(next.list.doubtful("carl"));
}

TEST_CASE("The doubt about an account goes with it to its new name") {
  const auto disk = disk_with_accounts();
  {
    Run run(*disk);
    REQUIRE(run.list.enter("anna"));
  }
  Run run(*disk);
  REQUIRE(run.list.rename("anna", "dora"));
  CHECK(run.list.doubtful("dora"));
  run.list.leave("anna");
  const auto after = after_cut(*disk);
  Run next(*after);
  CHECK(next.list.doubtful("dora"));
}

TEST_CASE("Many threads enter, leave and shorten at once, and nobody who is in use is left out") {
  const TemporaryDirectory directory;
  const auto files = storage::posix_file_system();
  const std::string data = directory.path();
  const std::string mail = data + "/mail";
  REQUIRE(files->make_directory(mail));
  AccountsInUse list(*files, data, mail);
  REQUIRE(list.open());
  constexpr int threads = 8;
  constexpr int accounts = 20;
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&list, thread] {
      for (int i = 0; i < accounts; ++i) {
        const std::string account = std::to_string(thread) + "." + std::to_string(i);
        if (!list.enter(account)) return;
        if (i % 2 == 0) list.leave(account);
        (void)list.shorten(5);
      }
    });
  }
  for (std::thread& one : running) one.join();
  AccountsInUse next(*files, data, mail);
  REQUIRE(next.open());
  for (int thread = 0; thread < threads; ++thread) {
    for (int i = 1; i < accounts; i += 2) CHECK(next.doubtful(std::to_string(thread) + "." + std::to_string(i)));
  }
}

}  // namespace
}  // namespace postkeep::test
