#include "storage/maildir/watcher.h"

#include <doctest/doctest.h>
#include <poll.h>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage::maildir {
namespace {

using Event = Watcher::Event;

struct WatcherFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = posix_file_system();
  std::unique_ptr<Watcher> watcher = Watcher::open().value();

  std::string folder(const std::string& name) {
    const std::string path = directory / name;
    for (const char* part : {"", "/cur", "/new", "/tmp"}) REQUIRE(files->make_directory(path + part));
    return path;
  }
  void touch(const std::string& path) { REQUIRE(files->create(path, FileSystem::Existing::fail)); }
  bool readable() {
    pollfd waited{watcher->fd(), POLLIN, 0};
    return ::poll(&waited, 1, 0) == 1;
  }
};

TEST_CASE_FIXTURE(WatcherFixture, "a delivery into new, its way to cur and a flag change are told by name") {
  const std::string path = folder("a");
  REQUIRE(watcher->add(path, 7));
  touch(path + "/tmp/m");
  CHECK(!readable());
  REQUIRE(files->rename(path + "/tmp/m", path + "/new/m"));
  CHECK(readable());
  REQUIRE(files->rename(path + "/new/m", path + "/cur/m:2,"));
  REQUIRE(files->rename(path + "/cur/m:2,", path + "/cur/m:2,S"));
  REQUIRE(files->unlink(path + "/cur/m:2,S"));
  const Watcher::Batch batch = watcher->read();
  CHECK(batch.events == std::vector<Event>{
                            {7, Event::Kind::appeared, Event::Place::fresh, "m"},
                            {7, Event::Kind::vanished, Event::Place::fresh, "m"},
                            {7, Event::Kind::appeared, Event::Place::cur, "m:2,"},
                            {7, Event::Kind::vanished, Event::Place::cur, "m:2,"},
                            {7, Event::Kind::appeared, Event::Place::cur, "m:2,S"},
                            {7, Event::Kind::vanished, Event::Place::cur, "m:2,S"},
                        });
  CHECK(batch.lost.empty());
  CHECK(!batch.overflow);
  CHECK(!readable());
  CHECK(watcher->read().events.empty());
}

TEST_CASE_FIXTURE(WatcherFixture, "a delivery by link is told, a directory is not") {
  const std::string path = folder("a");
  touch(path + "/tmp/m");
  REQUIRE(watcher->add(path, 1));
  REQUIRE(files->link(path + "/tmp/m", path + "/new/m"));
  REQUIRE(files->make_directory(path + "/new/d"));
  CHECK(watcher->read().events == std::vector<Event>{{1, Event::Kind::appeared, Event::Place::fresh, "m"}});
}

TEST_CASE_FIXTURE(WatcherFixture, "each folder has its cookie, also after it was renamed") {
  const std::string a = folder("a");
  const std::string b = folder("b");
  REQUIRE(watcher->add(a, 1));
  REQUIRE(watcher->add(b, 2));
  REQUIRE(files->rename(b, directory / "c"));
  touch(a + "/cur/x");
  touch(directory / "c/cur/y");
  const Watcher::Batch batch = watcher->read();
  CHECK(batch.lost.empty());
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events[0].cookie == 1);
  CHECK(batch.events[1].cookie == 2);
}

TEST_CASE_FIXTURE(WatcherFixture, "a folder that is no longer watched is silent") {
  const std::string path = folder("a");
  REQUIRE(watcher->add(path, 1));
  touch(path + "/cur/x");
  watcher->remove(1);
  watcher->remove(1);
  touch(path + "/cur/y");
  const Watcher::Batch batch = watcher->read();
  CHECK(batch.events.empty());
  CHECK(batch.lost.empty());
  CHECK(watcher->watch_count() == 0);
}

TEST_CASE_FIXTURE(WatcherFixture, "adding a folder again gives it the new cookie and no second watch") {
  const std::string path = folder("a");
  REQUIRE(watcher->add(path, 1));
  REQUIRE(watcher->add(path, 2));
  CHECK(watcher->watch_count() == 2);
  touch(path + "/cur/x");
  CHECK(watcher->read().events.front().cookie == 2);
  watcher->remove(1);  // is nobody's any more
  CHECK(watcher->watch_count() == 2);
  watcher->remove(2);
  CHECK(watcher->watch_count() == 0);
}

TEST_CASE_FIXTURE(WatcherFixture, "a folder that was removed is told as lost, once") {
  const std::string path = folder("a");
  REQUIRE(watcher->add(path, 5));
  for (const char* part : {"/cur", "/new"}) REQUIRE(files->remove_directory(path + part));
  const Watcher::Batch batch = watcher->read();
  CHECK(batch.lost == std::vector<Watcher::Cookie>{5});
  CHECK(watcher->watch_count() == 0);
}

TEST_CASE_FIXTURE(WatcherFixture, "of a storm, batches with an end are told, and that the kernel dropped the rest") {
  const std::string path = folder("a");
  REQUIRE(watcher->add(path, 3));
  touch(path + "/cur/m");
  for (int i = 0; i < 20'000; ++i) {  // the kernel keeps 16,384 events, if nobody has told it otherwise
    REQUIRE(files->rename(path + "/cur/m", path + "/new/m"));
    REQUIRE(files->rename(path + "/new/m", path + "/cur/m"));
  }
  bool overflow = false;
  std::size_t events = 0;
  while (readable()) {
    const Watcher::Batch batch = watcher->read();
    CHECK(batch.events.size() <= 64 * 16 * 1024 / 16);
    CHECK((batch.overflow || !batch.events.empty()));
    events += batch.events.size();
    overflow = overflow || batch.overflow;
  }
  CHECK((overflow || events == 80'001));
  touch(path + "/cur/x");
  CHECK(watcher->read().events == std::vector<Event>{{3, Event::Kind::appeared, Event::Place::cur, "x"}});
}

TEST_CASE_FIXTURE(WatcherFixture, "a folder that is not there, or has half of itself, is not watched") {
  CHECK(watcher->add(directory / "none", 1).error().kind == ErrorKind::not_found);
  const std::string path = folder("a");
  REQUIRE(files->remove_directory(path + "/new"));
  CHECK(watcher->add(path, 1).error().kind == ErrorKind::not_found);
  CHECK(watcher->watch_count() == 0);
}

}  // namespace
}  // namespace postkeep::storage::maildir
