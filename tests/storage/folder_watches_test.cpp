// storage/account/folder_watches: what is told of folders that other programs change, and of those that they take away.
#include "storage/account/folder_watches.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

namespace fs = std::filesystem;

struct FolderWatchesFixture {
  test::TemporaryDirectory directory;
  FolderWatches watches{maildir::Watcher::open().value()};
  const MailboxId box{7};

  FolderWatchesFixture() {
    for (const char* part : {"cur", "new"}) fs::create_directories(directory / part);
    REQUIRE(watches.watch("anna", box, directory.path()));
  }
  void deliver(const std::string& name) { std::ofstream(directory / ("new/" + name)) << "x"; }
};

TEST_CASE_FIXTURE(FolderWatchesFixture, "what happened in a folder is told once, by name") {
  deliver("m");
  const auto changes = watches.read();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].user == "anna");
  CHECK(changes[0].mailbox == box);
  CHECK_FALSE(changes[0].unwatched);
  const FolderWatches::Events events = watches.take("anna", box);
  REQUIRE(events.names.size() == 1);
  CHECK(events.names[0].name == "m");
  CHECK_FALSE(events.unknown);
  CHECK(watches.take("anna", box).names.empty());
}

TEST_CASE_FIXTURE(FolderWatchesFixture,
                  "that a folder was listed under its watch holds until the next look, and not beyond the watch") {
  CHECK_FALSE(watches.take("anna", box).since_listed);
  watches.note_listed("anna", box);
  CHECK(watches.take("anna", box).since_listed);
  CHECK_FALSE(watches.take("anna", box).since_listed);  // whoever took it has not said that it is known again
  watches.note_listed("anna", box);
  watches.unwatch("anna", box);
  watches.note_listed("anna", box);
  REQUIRE(watches.watch("anna", box, directory.path()));
  CHECK_FALSE(watches.take("anna", box).since_listed);
}

TEST_CASE_FIXTURE(FolderWatchesFixture, "of a folder that was taken away nothing is known, until it is asked for") {
  deliver("m");
  fs::rename(directory / "new", directory / "aside");
  const auto changes = watches.read();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].unwatched);
  CHECK_FALSE(watches.watch("anna", box, directory.path()));  // half of it is not there
  fs::rename(directory / "aside", directory / "new");
  CHECK(watches.watch("anna", box, directory.path()));
  CHECK(watches.take("anna", box).unknown);
  CHECK_FALSE(watches.take("anna", box).unknown);
  deliver("n");
  CHECK(watches.read().size() == 1);
  CHECK(watches.take("anna", box).names.size() == 1);
}

}  // namespace
}  // namespace postkeep::storage
