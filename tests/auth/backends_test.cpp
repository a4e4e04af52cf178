#include "auth/backends.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "auth/server_secret.h"
#include "auth/user_directory_chain.h"
#include "storage/posix_file_system.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

struct BackendsFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<storage::FileSystem> files = storage::posix_file_system();
  test::FakeClock clock;
  std::string file = directory / "users";
  BackendEnvironment environment{*files, clock, directory.path(), {}};

  BackendsFixture() {
    std::ofstream(file) << "bob:{PLAIN}from the file\ncarol:{PLAIN}c\n";
    REQUIRE(files->set_modified(file, clock.now() - std::chrono::seconds(10)));
  }
  std::unique_ptr<UserDirectory> open(const std::vector<std::string>& specs) {
    return open_backends(specs, environment).value();
  }
  Outcome add(UserDirectory& users, std::string name, std::string password) {
    User user;
    user.name = std::move(name);
    return users.add(user, {Verifier{Scheme::plain, Secret(std::move(password))}});
  }
  static std::string password(UserDirectory& users, std::string_view name) {
    return std::string(users.verifiers(name).value().at(0).hash.reveal());
  }
};

}  // namespace

TEST_CASE_FIXTURE(BackendsFixture, "the first backend that knows a user decides") {
  {
    const auto database = open({"database"});
    REQUIRE(add(*database, "alice", "a"));
    REQUIRE(add(*database, "bob", "from the database"));
  }
  {
    const auto users = open({"passwd-file:" + file, "database"});
    CHECK(password(*users, "BOB") == "from the file");
    CHECK(password(*users, "alice") == "a");
    CHECK(users->find("carol").value().has_value());
    CHECK_FALSE(users->find("dave").value().has_value());
    CHECK(users->list().value().size() == 3);
  }
  const auto users = open({"database", "passwd-file:" + file});
  CHECK(password(*users, "bob") == "from the database");
  CHECK(password(*users, "carol") == "c");
  const auto listed = users->list().value();
  REQUIRE(listed.size() == 3);
  CHECK(listed[0].name == "alice");
  CHECK(listed[2].name == "carol");
}

TEST_CASE_FIXTURE(BackendsFixture,
                  "changes go to the backend that has the user, new users to the first that takes them") {
  const auto users = open({"passwd-file:" + file, "database"});
  REQUIRE(add(*users, "alice", "a"));
  CHECK(users->is_writable("alice"));
  CHECK_FALSE(users->is_writable("bob"));
  CHECK_FALSE(users->is_writable("nobody"));
  CHECK(add(*users, "Bob", "x").error().kind == ErrorKind::already_exists);
  CHECK(users->set_verifiers("bob", {}).error().kind == ErrorKind::cannot);
  CHECK(users->set_enabled("bob", false).error().kind == ErrorKind::cannot);
  CHECK(users->remove("bob").error().kind == ErrorKind::cannot);
  CHECK(users->set_enabled("nobody", false).error().kind == ErrorKind::not_found);
  REQUIRE(users->set_enabled("alice", false));
  CHECK_FALSE(users->find("alice").value()->enabled);
  REQUIRE(users->remove("alice"));
  CHECK_FALSE(users->find("alice").value().has_value());
}

TEST_CASE_FIXTURE(BackendsFixture,
                  "a user is renamed in the backend that has it, to no name that another backend has") {
  const auto users = open({"passwd-file:" + file, "database"});
  REQUIRE(add(*users, "alice", "a"));
  CHECK(users->rename("alice", "Carol").error().kind == ErrorKind::already_exists);
  CHECK(users->rename("nobody", "dave").error().kind == ErrorKind::not_found);
  CHECK(users->rename("bob", "dave").error().kind == ErrorKind::cannot);
  REQUIRE(users->rename("alice", "dave"));
  CHECK(password(*users, "dave") == "a");
  CHECK_FALSE(users->find("alice").value().has_value());
}

TEST_CASE_FIXTURE(BackendsFixture, "where no backend takes users, adding one says what to do") {
  const auto users = open({"passwd-file:" + file});
  const Outcome refused = add(*users, "alice", "a");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::cannot);
  CHECK(refused.error().text.find(file) != std::string::npos);
}

TEST_CASE_FIXTURE(BackendsFixture, "keys can be supplied where every backend can") {
  const std::string other = directory / "other";
  std::ofstream(other) << "dave:$1$hlPmyDK3$LKy.VSKHy.fcVXF.LDXMH/\n";
  CHECK(open({"database"})->can_supply_keys());
  CHECK(open({"database", "passwd-file:" + file})->can_supply_keys());
  CHECK_FALSE(open({"database", "passwd-file:" + other})->can_supply_keys());
}

TEST_CASE_FIXTURE(BackendsFixture,
                  "a backend that is not there or takes no such argument is refused with what there is") {
  CHECK(check_backend("database").has_value());
  CHECK(check_backend("passwd-file:/x").has_value());
  for (const char* bad : {"", "ldap", "database:x", "passwd-file", "passwd-file:", "passwd-file:users", "Database"}) {
    CAPTURE(bad);
    const Outcome refused = check_backend(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::cannot);
    CHECK_FALSE(open_backends({bad}, environment).has_value());
  }
  CHECK(check_backend("ldap").error().text.find("passwd-file") != std::string::npos);
  CHECK_FALSE(open_backends({}, environment).has_value());
  CHECK(open_backends({"passwd-file:/does/not/exist"}, environment).error().kind == ErrorKind::unavailable);
}

TEST_CASE_FIXTURE(BackendsFixture, "a backend of which the first cannot be asked does not let the second answer") {
  struct Broken final : UserDirectory {
    Result<std::optional<User>> find(std::string_view) override { return failure(ErrorKind::unavailable, "broken"); }
    Result<std::vector<Verifier>> verifiers(std::string_view) override { return failure(ErrorKind::unavailable, ""); }
    Result<std::vector<User>> list() override { return failure(ErrorKind::unavailable, "broken"); }
    bool can_supply_keys() const override { return true; }
    bool is_writable(std::string_view) override { return true; }
    Outcome add(const User&, const std::vector<Verifier>&) override { return {}; }
    Outcome set_verifiers(std::string_view, const std::vector<Verifier>&) override { return {}; }
    Outcome add_verifier(std::string_view, const Verifier&, const std::vector<Verifier>&) override { return {}; }
    Outcome set_enabled(std::string_view, bool) override { return {}; }
    Outcome remove(std::string_view) override { return {}; }
  };
  std::vector<std::unique_ptr<UserDirectory>> links;
  links.push_back(std::make_unique<Broken>());
  links.push_back(open({"passwd-file:" + file}));
  UserDirectoryChain chain(std::move(links));
  CHECK(chain.find("carol").error().kind == ErrorKind::unavailable);
  CHECK(chain.verifiers("carol").error().kind == ErrorKind::unavailable);
  CHECK(chain.list().error().kind == ErrorKind::unavailable);
  CHECK_FALSE(chain.is_writable("carol"));
}

TEST_CASE_FIXTURE(BackendsFixture,
                  "the server's secret is made once, kept to its owner, and refused when it is damaged") {
  const Secret first = server_secret(*files, directory.path()).value();
  CHECK(first.reveal().size() == 32);
  CHECK(server_secret(*files, directory.path()).value().reveal() == first.reveal());
  const auto permissions = std::filesystem::status(directory / "auth-secret").permissions();
  CHECK((permissions & (std::filesystem::perms::group_all | std::filesystem::perms::others_all)) ==
        std::filesystem::perms::none);
  std::ofstream(directory / "auth-secret") << "nonsense\n";
  CHECK(server_secret(*files, directory.path()).error().kind == ErrorKind::corruption);
}
