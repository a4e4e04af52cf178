#include "server/admin/user_rename.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "auth/user_database.h"
#include "server/admin/local_host.h"
#include "server/config/config_file.h"
#include "storage/posix_file_system.h"
#include "tests/support/results.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::admin;

namespace {

struct PowerCut {};

// Data with the user alice, who has the mailbox "Kept".
struct UserRenameFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<storage::FileSystem> files = storage::posix_file_system();
  std::string data = directory / "data";
  Settings settings = config::parse("").value();

  UserRenameFixture() {
    settings.data_dir = data;
    const auto host = open();
    auth::User alice;
    alice.name = "alice";
    test::must(host->users().add(alice, {auth::verifier_from_text("{PLAIN}word").value()}));
    const auto make_mailbox = [](storage::AccountStore& account) -> Result<nlohmann::json> {
      TRY(account.create_mailbox(MailboxName::from_utf8("Kept").value()));
      return nlohmann::json();
    };
    test::must(host->with_account("alice", make_mailbox));
  }
  std::unique_ptr<LocalHost> open() { return LocalHost::open(settings, *files).value(); }
  bool record_exists() const { return std::filesystem::exists(user_rename_path(data)); }
  bool mail_exists(const std::string& user) const { return std::filesystem::exists(data + "/mail/" + user); }

  // What a process that opens the data finds: all of the user under one of the names, and nothing under the other.
  std::string found() {
    const auto host = open();
    CHECK_FALSE(record_exists());
    const bool old_login = test::must(host->users().find("alice")).has_value();
    const bool new_login = test::must(host->users().find("alicia")).has_value();
    CHECK(old_login != new_login);
    CHECK(mail_exists("alice") == old_login);
    CHECK(mail_exists("alicia") == new_login);
    const std::string name = new_login ? "alicia" : "alice";
    CHECK(std::filesystem::exists(data + "/mail/" + name + "/.Kept"));
    CHECK(test::must(host->users().verifiers(name)).at(0).hash.reveal() == "word");
    return name;
  }
};

// The users of a database, until a rename is asked for.
class CutAtRename final : public auth::UserDirectory {
 public:
  explicit CutAtRename(auth::UserDirectory& users) : users_(users) {}
  Result<std::optional<auth::User>> find(std::string_view name) override { return users_.find(name); }
  Result<std::vector<auth::Verifier>> verifiers(std::string_view name) override { return users_.verifiers(name); }
  Result<std::vector<auth::User>> list() override { return users_.list(); }
  bool can_supply_keys() const override { return users_.can_supply_keys(); }
  bool is_writable(std::string_view name) override { return users_.is_writable(name); }
  Outcome add(const auth::User& user, const std::vector<auth::Verifier>& verifiers) override {
    return users_.add(user, verifiers);
  }
  Outcome set_verifiers(std::string_view name, const std::vector<auth::Verifier>& verifiers) override {
    return users_.set_verifiers(name, verifiers);
  }
  Outcome add_verifier(std::string_view name, const auth::Verifier& verifier,
                       const std::vector<auth::Verifier>& seen) override {
    return users_.add_verifier(name, verifier, seen);
  }
  Outcome set_enabled(std::string_view name, bool enabled) override { return users_.set_enabled(name, enabled); }
  Outcome remove(std::string_view name) override { return users_.remove(name); }
  Outcome rename(std::string_view, const std::string&) override { throw PowerCut(); }

 private:
  auth::UserDirectory& users_;
};

Outcome cut(const std::string&, const std::string&) { throw PowerCut(); }

}  // namespace

TEST_CASE_FIXTURE(UserRenameFixture,
                  "a renamed user has login, password and mail under the new name, and nothing is left behind") {
  test::must(open()->rename_user("alice", "alicia"));
  CHECK_FALSE(record_exists());
  CHECK(found() == "alicia");
}

TEST_CASE_FIXTURE(UserRenameFixture,
                  "a rename that is cut before the login has changed is finished when the data is opened") {
  {
    const auto host = open();
    CutAtRename users(host->users());
    CHECK_THROWS_AS((void)rename_user(*files, data, users, "alice", "alicia", cut), PowerCut);
  }
  CHECK(record_exists());
  CHECK(found() == "alicia");
}

TEST_CASE_FIXTURE(UserRenameFixture,
                  "a rename that is cut between login and mail is finished when the data is opened") {
  {
    const auto host = open();
    CHECK_THROWS_AS((void)rename_user(*files, data, host->users(), "alice", "alicia", cut), PowerCut);
    CHECK(test::must(host->users().find("alicia")).has_value());
  }
  CHECK(mail_exists("alice"));
  CHECK(record_exists());
  CHECK(found() == "alicia");
}

TEST_CASE_FIXTURE(UserRenameFixture,
                  "a rename that is cut when all is done but its record is finished when the data is opened") {
  {
    const auto host = open();
    const auto move_then_cut = [&](const std::string& from, const std::string& to) -> Outcome {
      std::filesystem::rename(data + "/mail/" + from, data + "/mail/" + to);
      throw PowerCut();
    };
    CHECK_THROWS_AS((void)rename_user(*files, data, host->users(), "alice", "alicia", move_then_cut), PowerCut);
  }
  CHECK(found() == "alicia");
  CHECK(found() == "alicia");
}

TEST_CASE_FIXTURE(UserRenameFixture, "if the mail cannot be moved the login has its old name again") {
  {
    const auto host = open();
    const auto fail = [](const std::string&, const std::string&) {
      return failure(ErrorKind::in_use, "The user's sessions do not end");
    };
    const Outcome renamed = rename_user(*files, data, host->users(), "alice", "alicia", fail);
    CHECK(renamed.error().kind == ErrorKind::in_use);
    CHECK_FALSE(record_exists());
  }
  CHECK(found() == "alice");
}

TEST_CASE_FIXTURE(UserRenameFixture, "a name that another has is refused, and nothing changes") {
  {
    const auto host = open();
    auth::User bob;
    bob.name = "alicia";
    test::must(host->users().add(bob, {auth::verifier_from_text("{PLAIN}other").value()}));
    CHECK(host->rename_user("alice", "Alicia").error().kind == ErrorKind::already_exists);
    CHECK_FALSE(record_exists());
    test::must(host->users().remove("alicia"));
  }
  CHECK(found() == "alice");
}

TEST_CASE_FIXTURE(UserRenameFixture, "a user without mail is renamed, too, and case alone may change") {
  const auto host = open();
  auth::User bob;
  bob.name = "bob";
  test::must(host->users().add(bob, {auth::verifier_from_text("{PLAIN}x").value()}));
  test::must(host->rename_user("bob", "Bob"));
  CHECK(test::must(host->users().find("bob"))->name == "Bob");
  CHECK_FALSE(mail_exists("Bob"));
}

TEST_CASE_FIXTURE(UserRenameFixture, "a record that cannot be read stops the start instead of being guessed at") {
  std::ofstream(user_rename_path(data)) << "alice alicia\n";
  CHECK(LocalHost::open(settings, *files).error().kind == ErrorKind::corruption);
}
