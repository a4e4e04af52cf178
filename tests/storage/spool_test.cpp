#include "storage/spool.h"

#include <doctest/doctest.h>

#include "protocol/base/ensure.h"
#include "storage/posix_file_system.h"
#include "tests/support/sim/passing_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

class FixedClock final : public Clock {
 public:
  std::chrono::sys_time<std::chrono::microseconds> now() override { return time; }
  std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(1'700'000'000'000'007)};
};

// Counts what is synced of the files that are made through it.
class CountedSyncs final : public test::PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Result<std::unique_ptr<File>> create(const std::string& path, Existing existing) override {
    std::unique_ptr<File> real = TRY(PassingFileSystem::create(path, existing));
    return std::make_unique<CountedFile>(std::move(real), syncs);
  }
  int syncs = 0;

 private:
  class CountedFile final : public test::PassingFile {
   public:
    CountedFile(std::unique_ptr<File> real, int& syncs) : PassingFile(std::move(real)), syncs_(syncs) {}
    Outcome sync() override {
      ++syncs_;
      return PassingFile::sync();
    }

   private:
    int& syncs_;
  };
};

struct SpoolFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = posix_file_system();
  FixedClock clock;
  maildir::NameMaker names{"host"};
  std::string spool_directory = directory / "spool";
  std::string folder = directory / "folder";

  SpoolFixture() {
    for (const std::string& path : {spool_directory, folder, folder + "/cur", folder + "/tmp"}) {
      REQUIRE(files->make_directory(path));
    }
  }
  std::shared_ptr<Spool> spool(std::uint64_t limit = 1000) {
    return Spool::create(*files, clock, spool_directory, names, limit).value();
  }
  std::shared_ptr<Spool> finished(std::string_view content) {
    auto spooled = spool();
    REQUIRE(spooled->write(content));
    REQUIRE(spooled->finish());
    return spooled;
  }
  std::string content(const std::string& name) { return read_file(*files, folder + "/cur/" + name, 100'000).value(); }
};

TEST_CASE_FIXTURE(SpoolFixture, "a spooled message has the size and facts of its octets") {
  auto spooled = spool();
  REQUIRE(spooled->write("ab"));
  REQUIRE(spooled->write(""));
  REQUIRE(spooled->write("c"));
  REQUIRE(spooled->finish());
  CHECK(spooled->size() == 3);
  REQUIRE(spooled->facts());
  CHECK(spooled->facts()->size == 3);
  CHECK(spooled->facts()->email_id == email_id_of(sha256("abc")));
}

TEST_CASE_FIXTURE(SpoolFixture,
                  "facts are kept of a message that is not large, and where they are not large themselves") {
  const std::string header = "Subject: x\r\n\r\n";
  auto just = spool(1'000'000);
  REQUIRE(just->write(header + std::string(facts_on_arrival_octets_max - header.size(), 'b')));
  REQUIRE(just->finish());
  REQUIRE(just->facts());
  CHECK(just->facts()->cached_headers == "Subject: x\r\n");
  auto large = spool(1'000'000);
  REQUIRE(large->write(header + std::string(facts_on_arrival_octets_max - header.size(), 'b')));
  REQUIRE(large->write("b"));
  REQUIRE(large->finish());
  CHECK_FALSE(large->facts());
  auto many_recipients = spool(1'000'000);
  REQUIRE(many_recipients->write("To: " + std::string(20'000, 'a') + "\r\n\r\n"));
  REQUIRE(many_recipients->finish());
  CHECK_FALSE(many_recipients->facts());
}

TEST_CASE_FIXTURE(SpoolFixture, "octets over the limit are refused and the spool stays failed") {
  auto spooled = spool(5);
  REQUIRE(spooled->write("12345"));
  CHECK(spooled->write("6").error().kind == ErrorKind::too_big);
  CHECK(spooled->write("").error().kind == ErrorKind::too_big);
  CHECK(spooled->finish().error().kind == ErrorKind::too_big);
  CHECK(spooled->size() == 5);
}

TEST_CASE_FIXTURE(SpoolFixture, "spools that are finished together are each as one that was finished alone") {
  auto full = spool(5);
  CHECK_FALSE(full->write("123456").has_value());
  auto first = spool();
  auto second = spool();
  REQUIRE(first->write("first"));
  REQUIRE(second->write("second"));
  const UnixTime date{1'600'000'000};
  second->set_internal_date(date);
  Spool* const all[] = {first.get(), full.get(), second.get()};
  const std::vector<Outcome> outcomes = Spool::finish_together(*files, all);
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].has_value());
  CHECK(outcomes[1].error().kind == ErrorKind::too_big);
  CHECK(outcomes[2].has_value());
  REQUIRE(first->facts());
  CHECK(first->facts()->size == 5);
  CHECK(second->link_into(folder, "b", std::nullopt).value() == file_time(date));
  CHECK(content("b") == "second");
  CHECK(files->info(folder + "/cur/b")->modified == file_time(date));
}

TEST_CASE_FIXTURE(SpoolFixture, "a sync that fails fails all spools that were to be finished together") {
  class FailedSyncs final : public test::PassingFileSystem {
   public:
    using PassingFileSystem::PassingFileSystem;
    Outcome sync_together(std::span<File* const>) override { return failure(ErrorKind::unavailable, "no disk"); }
  };
  FailedSyncs failing(*files);
  auto first = spool();
  auto second = spool();
  REQUIRE(first->write("first"));
  REQUIRE(second->write("second"));
  Spool* const all[] = {first.get(), second.get()};
  for (const Outcome& outcome : Spool::finish_together(failing, all)) {
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().kind == ErrorKind::unavailable);
  }
  CHECK(first->link_into(folder, "a", std::nullopt).error().kind == ErrorKind::unavailable);
  CHECK_FALSE(files->info(folder + "/cur/a").has_value());
}

TEST_CASE_FIXTURE(SpoolFixture, "parts with NUL are encoded, in a file that takes the first one's place") {
  auto spooled = spool();
  REQUIRE(spooled->write(std::string("Content-Transfer-Encoding: binary\r\n\r\n\0", 38)));
  REQUIRE(spooled->encode_binary_parts());
  REQUIRE(spooled->finish());
  const std::string_view expected = "Content-Transfer-Encoding: base64\r\n\r\nAA==";
  CHECK(spooled->size() == expected.size());
  REQUIRE(spooled->facts());
  CHECK(spooled->facts()->email_id == email_id_of(sha256(expected)));
  CHECK(files->list(spool_directory)->size() == 1);
  REQUIRE(spooled->link_into(folder, "a", std::nullopt));
  CHECK(content("a") == expected);
  spooled.reset();
  CHECK(files->list(spool_directory)->empty());
}

TEST_CASE_FIXTURE(SpoolFixture, "what grows over the limit by being encoded is refused, and leaves nothing") {
  auto spooled = spool(41);
  REQUIRE(spooled->write(std::string("Content-Transfer-Encoding: binary\r\n\r\n\0\0\0\0", 41)));
  CHECK(spooled->encode_binary_parts().error().kind == ErrorKind::too_big);
  CHECK(spooled->finish().error().kind == ErrorKind::too_big);
  spooled.reset();
  CHECK(files->list(spool_directory)->empty());
}

TEST_CASE_FIXTURE(SpoolFixture, "one body is linked for many, with the clock's time") {
  auto spooled = finished("body");
  CHECK(spooled->link_into(folder, "a", std::nullopt).value() == FileTime(clock.time));
  CHECK(spooled->link_into(folder, "b", std::nullopt).value() == FileTime(clock.time));
  const FileInfo a = files->info(folder + "/cur/a").value();
  const FileInfo b = files->info(folder + "/cur/b").value();
  CHECK(a.inode == b.inode);
  CHECK(a.links == 3);
  CHECK(a.modified == FileTime(clock.time));
  spooled.reset();
  CHECK(files->info(folder + "/cur/a")->links == 2);
  CHECK(content("b") == "body");
  CHECK(files->list(spool_directory)->empty());
}

TEST_CASE_FIXTURE(SpoolFixture, "a date that is known before the message is finished costs no second sync") {
  CountedSyncs counted(*files);
  const UnixTime date{1'000'000'000};
  const FileTime time(std::chrono::seconds(date.seconds));
  for (const bool known : {true, false}) {
    CAPTURE(known);
    counted.syncs = 0;
    const auto spooled = Spool::create(counted, clock, spool_directory, names, 1000).value();
    REQUIRE(spooled->write("x"));
    if (known) spooled->set_internal_date(date);
    REQUIRE(spooled->finish());
    const std::string name = known ? "known" : "unknown";
    CHECK(spooled->link_into(folder, name, time).value() == time);
    CHECK(files->info(folder + "/cur/" + name)->modified == time);
    CHECK(counted.syncs == (known ? 1 : 2));
  }
}

TEST_CASE_FIXTURE(SpoolFixture, "messages with different times do not share a file") {
  auto spooled = finished("body");
  const FileTime early{std::chrono::seconds(1'000'000)};
  const FileTime late{std::chrono::seconds(2'000'000)};
  CHECK(spooled->link_into(folder, "a", early).value() == early);
  CHECK(spooled->link_into(folder, "b", late).value() == late);
  CHECK(spooled->link_into(folder, "c", early).value() == early);
  CHECK(files->info(folder + "/cur/a")->modified == early);
  CHECK(files->info(folder + "/cur/b")->modified == late);
  CHECK(files->info(folder + "/cur/a")->inode == files->info(folder + "/cur/c")->inode);
  CHECK(content("b") == "body");
  CHECK(files->list(folder + "/tmp")->empty());
}

TEST_CASE_FIXTURE(SpoolFixture, "a name that is taken, or a folder that is not there, is refused and leaves nothing") {
  auto spooled = finished("body");
  REQUIRE(finished("other")->link_into(folder, "a", std::nullopt));
  CHECK(spooled->link_into(folder, "a", std::nullopt).error().kind == ErrorKind::already_exists);
  CHECK(spooled->link_into(directory / "none", "a", std::nullopt).error().kind == ErrorKind::not_found);
  CHECK(content("a") == "other");
  CHECK(files->list(folder + "/cur")->size() == 1);
  CHECK(files->list(folder + "/tmp")->empty());
}

TEST_CASE_FIXTURE(SpoolFixture, "an unfinished spool is not linked and a finished one not written") {
  auto spooled = spool();
  CHECK_THROWS_AS((void)spooled->link_into(folder, "a", std::nullopt), BugError);
  REQUIRE(spooled->finish());
  CHECK_THROWS_AS((void)spooled->write("x"), BugError);
}

TEST_CASE_FIXTURE(SpoolFixture, "what a stopped process left in the spool is cleared") {
  REQUIRE(files->create(spool_directory + "/left", FileSystem::Existing::fail));
  REQUIRE(clear_spool(*files, spool_directory));
  CHECK(files->list(spool_directory)->empty());
}

}  // namespace
}  // namespace postkeep::storage
