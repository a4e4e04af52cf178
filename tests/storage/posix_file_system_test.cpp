#include "storage/posix_file_system.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

using Existing = FileSystem::Existing;

void write(FileSystem& files, const std::string& path, std::string_view content) {
  const auto file = files.create(path, Existing::truncate);
  REQUIRE(file);
  REQUIRE((*file)->append(content));
}

TEST_CASE("what is appended is read back at its offset") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  const auto file = files->create(directory / "a", Existing::fail).value();
  REQUIRE(file->append("hello "));
  REQUIRE(file->append("world"));
  REQUIRE(file->sync());
  std::array<char, 8> buffer{};
  CHECK(file->read_at(6, buffer).value() == 5);
  CHECK(std::string_view(buffer.data(), 5) == "world");
  CHECK(file->read_at(11, buffer).value() == 0);
  CHECK(file->info()->size == 11);
}

TEST_CASE("files are made for their owner alone") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "x");
  REQUIRE(files->make_directory(directory / "d"));
  struct stat s {};
  REQUIRE(::stat((directory / "a").c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0600);
  REQUIRE(::stat((directory / "d").c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0700);
}

TEST_CASE("create does with an existing file what it was told") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "old");
  CHECK(files->create(directory / "a", Existing::fail).error().kind == ErrorKind::already_exists);
  REQUIRE(files->create(directory / "a", Existing::append).value()->append("+new"));
  CHECK(read_file(*files, directory / "a", 100).value() == "old+new");
  REQUIRE(files->create(directory / "a", Existing::truncate));
  CHECK(read_file(*files, directory / "a", 100).value().empty());
}

TEST_CASE("a missing file is not_found and the detail names call and path") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  const auto opened = files->open_read(directory / "none");
  REQUIRE(!opened);
  CHECK(opened.error().kind == ErrorKind::not_found);
  CHECK(opened.error().detail == "open " + (directory / "none") + ": No such file or directory");
  CHECK(opened.error().text.find('/') == std::string::npos);
  CHECK(files->info(directory / "none").error().kind == ErrorKind::not_found);
  CHECK(files->unlink(directory / "none").error().kind == ErrorKind::not_found);
  write(*files, directory / "a", "x");
  CHECK(files->info(directory / "a/b").error().kind == ErrorKind::not_found);
}

TEST_CASE("what is no regular file is not opened, and a FIFO does not block") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  CHECK(files->open_read(directory / "fifo").error().kind == ErrorKind::unavailable);
  CHECK(files->open_read(directory.path()).error().kind == ErrorKind::unavailable);
}

TEST_CASE("rename replaces and rename_new does not") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "A");
  write(*files, directory / "b", "B");
  CHECK(files->rename_new(directory / "a", directory / "b").error().kind == ErrorKind::already_exists);
  CHECK(read_file(*files, directory / "b", 10).value() == "B");
  REQUIRE(files->rename_new(directory / "a", directory / "c"));
  REQUIRE(files->rename(directory / "c", directory / "b"));
  CHECK(read_file(*files, directory / "b", 10).value() == "A");
}

TEST_CASE("a link is a second name of one inode and never replaces") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "A");
  REQUIRE(files->link(directory / "a", directory / "b"));
  CHECK(files->info(directory / "a")->inode == files->info(directory / "b")->inode);
  CHECK(files->info(directory / "a")->links == 2);
  CHECK(files->link(directory / "a", directory / "b").error().kind == ErrorKind::already_exists);
}

TEST_CASE("list gives every name once and no dots") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "");
  write(*files, directory / ".hidden", "");
  REQUIRE(files->make_directory(directory / "d"));
  std::vector<std::string> names = files->list(directory.path()).value();
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{".hidden", "a", "d"});
  CHECK(files->info(directory / "d")->type == FileInfo::Type::directory);
}

TEST_CASE("only an empty directory is removed") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  REQUIRE(files->make_directory(directory / "d"));
  write(*files, directory / "d/a", "");
  CHECK(files->remove_directory(directory / "d").error().kind == ErrorKind::already_exists);
  REQUIRE(files->unlink(directory / "d/a"));
  CHECK(files->remove_directory(directory / "d"));
}

TEST_CASE("modification times are kept to the nanosecond, also before 1970") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "");
  for (const std::int64_t nanoseconds : {1'700'000'000'123'456'789LL, -1'500'000'001LL}) {
    const FileTime time{std::chrono::nanoseconds(nanoseconds)};
    REQUIRE(files->set_modified(directory / "a", time));
    CHECK(files->info(directory / "a")->modified == time);
  }
}

TEST_CASE("a lock is held by one until it is destroyed") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  auto held = files->lock(directory / "lock");
  REQUIRE(held);
  CHECK(files->lock(directory / "lock").error().kind == ErrorKind::in_use);
  held->reset();
  CHECK(files->lock(directory / "lock"));
}

TEST_CASE("read_exactly reads a file of the size that is expected, and nothing else") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "12345");
  REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  std::string out = "kept ";
  CHECK(files->read_exactly(directory / "a", 5, out).value());
  CHECK(out == "kept 12345");
  CHECK(!files->read_exactly(directory / "a", 4, out).value());
  CHECK(!files->read_exactly(directory / "a", 6, out).value());
  CHECK(files->read_exactly(directory / "none", 5, out).error().kind == ErrorKind::not_found);
  CHECK(!files->read_exactly(directory / "fifo", 5, out));
  CHECK(!files->read_exactly(directory.path(), 5, out));
  CHECK(out == "kept 12345");
}

TEST_CASE("read_file refuses what is over its limit") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  write(*files, directory / "a", "12345");
  CHECK(read_file(*files, directory / "a", 5).value() == "12345");
  CHECK(read_file(*files, directory / "a", 4).error().kind == ErrorKind::too_big);
}

TEST_CASE("replace_file replaces and leaves nothing beside it") {
  const test::TemporaryDirectory directory;
  const auto files = posix_file_system();
  REQUIRE(replace_file(*files, directory / "a", "one"));
  REQUIRE(replace_file(*files, directory / "a", "two"));
  CHECK(read_file(*files, directory / "a", 10).value() == "two");
  CHECK(files->list(directory.path())->size() == 1);
}

TEST_CASE("parent_directory cuts the last component") {
  CHECK(parent_directory("a/b/c") == "a/b");
  CHECK(parent_directory("/a") == "/");
  CHECK(parent_directory("a") == ".");
}

}  // namespace
}  // namespace postkeep::storage
