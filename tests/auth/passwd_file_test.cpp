#include "auth/passwd_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "auth/limits.h"
#include "storage/posix_file_system.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::auth;
using std::chrono::milliseconds;

namespace {

struct PasswdFileFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<storage::FileSystem> files = storage::posix_file_system();
  test::FakeClock clock;
  std::string path = directory / "users";
  std::vector<std::string> told;
  std::unique_ptr<PasswdFile> users;

  // Writes the file as if it had been changed `ago` before the clock's now.
  void write(const std::string& text, milliseconds ago = milliseconds(10'000)) {
    std::ofstream(path, std::ios::trunc) << text;
    REQUIRE(files->set_modified(path, clock.now() - ago));
  }
  void open() {
    users = PasswdFile::open(*files, clock, path, [this](const std::string& text) { told.push_back(text); }).value();
  }
  bool has(std::string_view name) { return users->find(name).value().has_value(); }
};

}  // namespace

TEST_CASE_FIXTURE(PasswdFileFixture, "users of the file are found, listed, and have their verifiers") {
  write("bob:{PLAIN}b\nAlice:{PLAIN}a\n");
  open();
  CHECK(users->find("alice").value()->name == "Alice");
  CHECK(users->verifiers("ALICE").value().at(0).hash.reveal() == "a");
  CHECK_FALSE(has("carol"));
  CHECK(users->verifiers("carol").error().kind == ErrorKind::not_found);
  const auto listed = users->list().value();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].name == "Alice");
  CHECK(users->can_supply_keys());
  CHECK(told.empty());
}

TEST_CASE_FIXTURE(PasswdFileFixture, "a changed file counts once it has been quiet for half a second") {
  write("alice:{PLAIN}a\n");
  open();
  write("bob:{PLAIN}b\n", milliseconds(100));
  CHECK(has("alice"));
  CHECK_FALSE(has("bob"));
  clock.advance(milliseconds(399));
  CHECK(has("alice"));
  clock.advance(milliseconds(1));
  CHECK(has("bob"));
  CHECK_FALSE(has("alice"));
}

TEST_CASE_FIXTURE(PasswdFileFixture, "a file that is written piece by piece is not read before the last piece") {
  write("alice:{PLAIN}a\nbob:{PLAIN}b\n");
  open();
  write("", milliseconds(0));
  for (const char* piece : {"ali", "alice:{PLAIN}n", "alice:{PLAIN}new\nbo"}) {
    CHECK(has("bob"));
    clock.advance(milliseconds(400));
    CHECK(has("bob"));
    write(piece, milliseconds(0));
  }
  write("alice:{PLAIN}new\nbob:{PLAIN}b\n", milliseconds(0));
  CHECK(users->verifiers("alice").value().at(0).hash.reveal() == "a");
  clock.advance(milliseconds(500));
  CHECK(users->verifiers("alice").value().at(0).hash.reveal() == "new");
}

TEST_CASE_FIXTURE(PasswdFileFixture, "a file that was just being written at the start is read again") {
  write("alice:{PLAIN}a\n", milliseconds(0));
  open();
  CHECK(has("alice"));
  write("alisa:{PLAIN}a\n", milliseconds(0));  // the same size, inode and time
  clock.advance(milliseconds(500));
  CHECK(has("alisa"));
}

TEST_CASE_FIXTURE(PasswdFileFixture,
                  "a file renamed into place counts, and a time in the future does not keep it out") {
  write("alice:{PLAIN}a\n");
  open();
  const std::string old = path;
  path = directory / "new";
  write("bobby:{PLAIN}a\n", milliseconds(-86'400'000));
  std::filesystem::rename(path, old);
  CHECK_FALSE(has("bobby"));
  clock.advance(milliseconds(500));
  CHECK(has("bobby"));
}

TEST_CASE_FIXTURE(PasswdFileFixture,
                  "a file that is gone leaves what was read, told once, and counts again when it is back") {
  write("alice:{PLAIN}a\n");
  open();
  std::filesystem::remove(path);
  CHECK(has("alice"));
  CHECK(has("alice"));
  REQUIRE(told.size() == 1);
  CHECK(told[0].find(path) != std::string::npos);
  write("bob:{PLAIN}b\n");
  CHECK(has("bob"));
  CHECK_FALSE(has("alice"));
  std::filesystem::remove(path);
  CHECK(has("bob"));
  CHECK(told.size() == 2);
}

TEST_CASE_FIXTURE(PasswdFileFixture, "malformed lines are told with file and line, and so many lines are enough") {
  std::string text = "alice:{PLAIN}a\n";
  for (int i = 0; i < 30; ++i) text += "malformed\n";
  write(text);
  open();
  REQUIRE(told.size() == 21);
  CHECK(told[0].starts_with(path + ":2: "));
  CHECK(told[20].find("10 more") != std::string::npos);
  CHECK(has("alice"));
}

TEST_CASE_FIXTURE(PasswdFileFixture, "without a readable file of a bearable size there is no backend") {
  CHECK(PasswdFile::open(*files, clock, path, {}).error().kind == ErrorKind::unavailable);
  std::filesystem::create_directory(path);
  CHECK(PasswdFile::open(*files, clock, path, {}).error().kind == ErrorKind::unavailable);
  const std::string big = directory / "big";
  std::ofstream(big) << "alice:{PLAIN}a\n";
  std::filesystem::resize_file(big, passwd_file_octets_max + 1);
  CHECK(PasswdFile::open(*files, clock, big, {}).error().kind == ErrorKind::unavailable);
}

TEST_CASE_FIXTURE(PasswdFileFixture, "commands are told where a user is to be changed instead") {
  write("alice:{PLAIN}a\n");
  open();
  User user;
  user.name = "bob";
  CHECK_FALSE(users->is_writable("alice"));
  for (const Outcome& refused :
       {users->add(user, {}), users->set_verifiers("alice", {}), users->add_verifier("alice", {}, {}),
        users->set_enabled("alice", false), users->remove("alice")}) {
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::cannot);
    CHECK(refused.error().text.find(path) != std::string::npos);
    CHECK(refused.error().text.find("pw hash") != std::string::npos);
  }
}
