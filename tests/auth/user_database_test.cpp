#include "auth/user_database.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/posix_file_system.h"
#include "tests/auth/cheap_hashes.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

struct UserDatabaseFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<storage::FileSystem> files = storage::posix_file_system();
  std::string path = user_database_path(directory.path());
  std::unique_ptr<UserDatabase> users = UserDatabase::open(*files, path).value();

  void reopen() {
    users.reset();
    users = UserDatabase::open(*files, path).value();
  }
};

std::vector<Verifier> plain(std::string password) { return {Verifier{Scheme::plain, Secret(std::move(password))}}; }

User named(std::string name) {
  User user;
  user.name = std::move(name);
  user.created = 1'700'000'000;
  return user;
}

}  // namespace

TEST_CASE_FIXTURE(UserDatabaseFixture,
                  "a user that was added is found again after reopening, with verifiers in order") {
  std::vector<Verifier> verifiers = plain("one");
  verifiers.push_back(verifier_from_text("{PLAIN}two").value());
  REQUIRE(users->add(named("alice@example.org"), verifiers));
  reopen();
  const auto found = users->find("alice@example.org").value();
  REQUIRE(found);
  CHECK(found->name == "alice@example.org");
  CHECK(found->enabled);
  CHECK(found->created == 1'700'000'000);
  const auto kept = users->verifiers("alice@example.org").value();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].hash.reveal() == "one");
  CHECK(kept[1].hash.reveal() == "two");
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "users are found without regard to case and keep the name they were given") {
  REQUIRE(users->add(named("Alice"), plain("x")));
  CHECK(users->find("aLICE").value()->name == "Alice");
  CHECK(users->add(named("alice"), plain("y")).error().kind == ErrorKind::already_exists);
  CHECK(users->verifiers("ALICE").value()[0].hash.reveal() == "x");
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "who is not there is not found") {
  CHECK_FALSE(users->find("nobody").value());
  CHECK_FALSE(users->find("\xFF").value());
  CHECK(users->verifiers("nobody").error().kind == ErrorKind::not_found);
  CHECK(users->set_verifiers("nobody", plain("x")).error().kind == ErrorKind::not_found);
  CHECK(users->set_enabled("nobody", false).error().kind == ErrorKind::not_found);
  CHECK(users->remove("nobody").error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "a new password replaces all verifiers") {
  REQUIRE(users->add(named("alice"), plain("old")));
  REQUIRE(users->set_verifiers("alice", plain("new")));
  const auto kept = users->verifiers("alice").value();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].hash.reveal() == "new");
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "a verifier is added beside the others, unless they were changed meanwhile") {
  REQUIRE(users->add(named("alice"), plain("one")));
  const auto seen = users->verifiers("alice").value();
  const Verifier added{Scheme::plain, Secret("two")};
  REQUIRE(users->add_verifier("ALICE", added, seen));
  CHECK(users->verifiers("alice").value().size() == 2);
  CHECK(users->add_verifier("alice", added, seen).error().kind == ErrorKind::in_use);
  REQUIRE(users->set_verifiers("alice", plain("three")));
  CHECK(users->add_verifier("alice", added, seen).error().kind == ErrorKind::in_use);
  CHECK(users->verifiers("alice").value().size() == 1);
  CHECK(users->add_verifier("nobody", added, {}).error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "a removed user is gone with the verifiers, and the name is free again") {
  REQUIRE(users->add(named("alice"), plain("old")));
  REQUIRE(users->remove("alice"));
  CHECK_FALSE(users->find("alice").value());
  REQUIRE(users->add(named("alice"), plain("new")));
  CHECK(users->verifiers("alice").value().size() == 1);
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "the list is sorted and tells who is disabled") {
  REQUIRE(users->add(named("bob"), plain("x")));
  REQUIRE(users->add(named("alice"), plain("x")));
  REQUIRE(users->set_enabled("bob", false));
  const auto listed = users->list().value();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].name == "alice");
  CHECK(listed[0].enabled);
  CHECK_FALSE(listed[1].enabled);
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "nobody else can read the database") {
  REQUIRE(users->add(named("alice"), plain("x")));
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0077) == 0);
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "a database of a newer version is refused and left as it is") {
  users.reset();
  {
    auto database = storage::Database::open(*files, path, {}).value();
    REQUIRE(database->set_user_version(99));
  }
  const auto refused = UserDatabase::open(*files, path);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::cannot);
  CHECK(storage::Database::open(*files, path, {}).value()->user_version().value() == 99);
}

TEST_CASE("a file that is no database is refused") {
  const test::TemporaryDirectory directory;
  const auto files = storage::posix_file_system();
  std::ofstream(user_database_path(directory.path())) << std::string(8192, 'x');
  const auto refused = UserDatabase::open(*files, user_database_path(directory.path()));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::corruption);
}

TEST_CASE_FIXTURE(UserDatabaseFixture, "a renamed user keeps everything but the name") {
  REQUIRE(users->add(named("alice"), plain("x")));
  REQUIRE(users->add(named("bob"), plain("y")));
  REQUIRE(users->set_enabled("alice", false));
  REQUIRE(users->rename("ALICE", "alicia@example.org"));
  CHECK_FALSE(users->find("alice").value());
  reopen();
  const auto found = users->find("Alicia@example.org").value();
  REQUIRE(found);
  CHECK(found->name == "alicia@example.org");
  CHECK_FALSE(found->enabled);
  CHECK(found->created == 1'700'000'000);
  CHECK(users->verifiers("alicia@example.org").value()[0].hash.reveal() == "x");
}

TEST_CASE_FIXTURE(UserDatabaseFixture,
                  "a user takes no name that another has, but may change the case of the own one") {
  REQUIRE(users->add(named("alice"), plain("x")));
  REQUIRE(users->add(named("bob"), plain("y")));
  CHECK(users->rename("alice", "BOB").error().kind == ErrorKind::already_exists);
  CHECK(users->rename("nobody", "carol").error().kind == ErrorKind::not_found);
  REQUIRE(users->rename("alice", "Alice"));
  CHECK(users->find("alice").value()->name == "Alice");
}

TEST_CASE_FIXTURE(UserDatabaseFixture,
                  "SCRAM-SHA-1 can be offered while everybody who has a password has keys for it") {
  HashCost cost = test::cheap();
  cost.scram_sha_1 = true;
  const auto all = make_verifiers(Secret("x"), std::nullopt, cost).value();
  const auto without = make_verifiers(Secret("x"), std::nullopt, test::cheap()).value();
  CHECK(users->can_supply_sha_1_keys());
  REQUIRE(users->add(named("plain"), plain("x")));
  REQUIRE(users->add(named("all"), all));
  REQUIRE(users->add(named("bare"), {}));
  CHECK(users->can_supply_sha_1_keys());
  REQUIRE(users->add(named("old"), without));
  REQUIRE(users->add(named("older"), without));
  CHECK_FALSE(users->can_supply_sha_1_keys());
  reopen();
  CHECK_FALSE(users->can_supply_sha_1_keys());
  REQUIRE(users->remove("older"));
  CHECK_FALSE(users->can_supply_sha_1_keys());
  REQUIRE(users->add_verifier("old", all.back(), without));
  CHECK(users->can_supply_sha_1_keys());
  REQUIRE(users->set_verifiers("all", without));
  CHECK_FALSE(users->can_supply_sha_1_keys());
  REQUIRE(users->remove("all"));
  CHECK(users->can_supply_sha_1_keys());
}
