#include "auth/last_logins.h"

#include <doctest/doctest.h>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

struct LastLoginsFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<storage::FileSystem> files = storage::posix_file_system();
  std::unique_ptr<LastLogins> logins = LastLogins::open(*files, last_logins_path(directory.path())).value();

  void reopen() {
    logins.reset();
    logins = LastLogins::open(*files, last_logins_path(directory.path())).value();
  }
  // "imap@5 pop3@7"
  std::string of(std::string_view user) {
    std::string text;
    const std::vector<LastLogin> found = logins->of(user).value();
    for (const LastLogin& login : found) {
      text += (text.empty() ? "" : " ") + login.protocol + "@" + std::to_string(login.time);
    }
    return text;
  }
  void record(const std::vector<LastLogin>& batch) { REQUIRE(logins->record(batch).has_value()); }
};

}  // namespace

TEST_CASE_FIXTURE(LastLoginsFixture, "the latest login of each protocol is kept, also over a restart") {
  CHECK(of("alice") == "");
  record({{"alice", "imap", 5}, {"alice", "pop3", 7}, {"bob", "imap", 6}});
  record({{"alice", "imap", 9}});
  record({{"alice", "imap", 8}});
  reopen();
  CHECK(of("alice") == "imap@9 pop3@7");
  CHECK(of("ALICE") == "imap@9 pop3@7");
  CHECK(of("bob") == "imap@6");
  CHECK(logins->all().value().size() == 3);
}

TEST_CASE_FIXTURE(LastLoginsFixture, "a renamed user keeps the logins, a removed one's are gone") {
  record({{"alice", "imap", 5}, {"bob", "imap", 6}, {"carol", "imap", 3}});
  REQUIRE(logins->rename("alice", "carol").has_value());
  CHECK(of("alice") == "");
  CHECK(of("carol") == "imap@5");
  REQUIRE(logins->forget("bob").has_value());
  REQUIRE(logins->forget("nobody").has_value());
  CHECK(of("bob") == "");
}
