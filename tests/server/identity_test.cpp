#include "server/identity.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::server;

namespace {

Settings::Service service(std::string user, std::string group = {}) {
  Settings::Service settings;
  settings.user = std::move(user);
  settings.group = std::move(group);
  return settings;
}

}  // namespace

TEST_CASE("the user of the service is found by name and by number, with the groups") {
  CHECK_FALSE(service_identity(service("")).value().has_value());
  const Identity daemon = service_identity(service("daemon")).value().value();
  CHECK(daemon.user == 1);
  CHECK(daemon.group == 1);
  REQUIRE_FALSE(daemon.groups.empty());
  CHECK(service_identity(service("1")).value()->user == 1);
  CHECK(service_identity(service("daemon", "mail")).value()->group == 8);
  const Identity number = service_identity(service("4000000000", "8")).value().value();
  CHECK(number.user == 4'000'000'000);
  CHECK(number.groups == std::vector<gid_t>{8});
}

TEST_CASE("who is not there, and root, is refused as the user of the service") {
  for (const Settings::Service& wrong : {service("no-such-user"), service("root"), service("0"),
                                         service("daemon", "no-such-group"), service("4000000000")}) {
    CAPTURE(wrong.user);
    const auto identity = service_identity(wrong);
    REQUIRE_FALSE(identity.has_value());
    CHECK(identity.error().kind == ErrorKind::cannot);
  }
}

TEST_CASE("root acting as another makes files of the other's, and is root again afterwards") {
  if (geteuid() != 0) return;  // nobody else can; tests/integration/test_service tells who skips
  const test::TemporaryDirectory directory;
  REQUIRE(chmod(directory.path().c_str(), 0777) == 0);
  const std::string own = directory.path() + "/own", other = directory.path() + "/other";
  std::ofstream(own) << "root's";
  REQUIRE(chmod(own.c_str(), 0600) == 0);
  {
    const ActingAs daemon(service_identity(service("daemon")).value());
    std::ofstream(other) << "x";
    CHECK(why_unreadable(own).find("Permission denied") != std::string::npos);
  }
  struct stat info {};
  REQUIRE(stat(other.c_str(), &info) == 0);
  CHECK(info.st_uid == 1);
  CHECK(info.st_gid == 1);
  CHECK(why_unreadable(own).empty());
}

TEST_CASE("a data folder is made for its user with what is above it, and one of another's is refused") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/a/b/data";
  REQUIRE(make_data_dir(path, std::nullopt).has_value());
  REQUIRE(make_data_dir(path, std::nullopt).has_value());
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  if (geteuid() != 0) return;
  const auto daemon = service_identity(service("daemon")).value();
  CHECK(make_data_dir(path, daemon).error().kind == ErrorKind::no_permission);
  REQUIRE(make_data_dir(directory.path() + "/c/data", daemon).has_value());
  REQUIRE(stat((directory.path() + "/c/data").c_str(), &info) == 0);
  CHECK(info.st_uid == 1);
}
