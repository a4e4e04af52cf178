#include "storage/maildir/layout.h"

#include <doctest/doctest.h>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage::maildir {
namespace {

TEST_CASE("a mailbox name and its directory lead to each other") {
  const std::pair<const char*, const char*> rows[] = {
      {"INBOX", ""},
      {"Sent", ".Sent"},
      {"A/B/C", ".A.B.C"},
      {"INBOX/sub", ".INBOX.sub"},
      {"Sent Items", ".Sent Items"},
      {"v1.0", ".v1&AC4-0"},
      {"..", ".&AC4ALg-"},
      {"~home", ".&AH4-home"},
      {"a&b", ".a&-b"},
      {"Entwürfe", ".Entw&APw-rfe"},
      {"日本語", ".&ZeVnLIqe-"},
      {"ü.ü", ".&APwALgD8-"},
      {"x😀y", ".x&2D3eAA-y"},
  };
  for (const auto& row : rows) {
    const std::string utf8 = row.first;
    const std::string directory = row.second;
    CAPTURE(utf8);
    const MailboxName name = MailboxName::from_utf8(utf8).value();
    CHECK(folder_directory(name).value() == directory);
    if (!directory.empty()) CHECK(mailbox_of_directory(directory) == name);
  }
}

TEST_CASE("a directory that we would have called otherwise is no mailbox") {
  for (const char* directory : {
           "",         "Sent",
           ".",        "..",
           ".A.",      "..A",
           ".A..B",    ".INBOX",
           ".inbox",   ".a~b",
           ".a&",      ".a&b",
           ".a&AC4",   ".a&AGE-",
           ".a&AC8-b", ".a&2D0-",
           ".a&3gA-",  ".a&!!-",
           ".a&AC5-",  ".a\xc3\xbc",
           ".a&AAo-",  ".&-&-&AC4-&AC4-",
       }) {
    CAPTURE(directory);
    CHECK(!mailbox_of_directory(directory));
  }
}

TEST_CASE("a name whose directory would be over 250 octets is refused") {
  CHECK(folder_directory(MailboxName::from_utf8(std::string(249, 'a')).value()).value().size() == 250);
  const MailboxName longer = MailboxName::from_utf8(std::string(250, 'a')).value();
  CHECK(folder_directory(longer).error().kind == ErrorKind::cannot);
}

TEST_CASE("a user has one safe directory, and it leads back") {
  const std::pair<const char*, const char*> rows[] = {
      {"anna", "anna"},
      {"anna@example.org", "anna@example.org"},
      {"Anna", "Anna"},
      {"..", "%2E."},
      {".hidden", "%2Ehidden"},
      {"a/b", "a%2Fb"},
      {"../../etc", "%2E.%2F..%2Fetc"},
      {"a%2Fb", "a%252Fb"},
      {"käse", "k%C3%A4se"},
      {"a b", "a%20b"},
  };
  for (const auto& row : rows) {
    const std::string user = row.first;
    const std::string directory = row.second;
    CAPTURE(user);
    CHECK(user_directory(user).value() == directory);
    CHECK(user_of_directory(directory) == user);
  }
  CHECK(user_directory("").error().kind == ErrorKind::cannot);
  CHECK(user_directory(std::string(251, 'a')).error().kind == ErrorKind::cannot);
  for (const char* directory : {"", "%", "%2", "%2f", "%61", ".a", "a b", "lost+found/"}) {
    CAPTURE(directory);
    CHECK(!user_of_directory(directory));
  }
}

TEST_CASE("the folders of an account are listed with INBOX first, and odd directories apart") {
  const test::TemporaryDirectory account;
  const auto files = posix_file_system();
  for (const char* name : {"cur", "new", "tmp", ".Sent", ".A.B", ".b~d"}) {
    REQUIRE(files->make_directory(account / name));
  }
  REQUIRE(files->create(account / ".file", FileSystem::Existing::fail));
  const FolderListing listing = list_folders(*files, account.path()).value();
  REQUIRE(listing.folders.size() == 3);
  CHECK(listing.folders[0].directory.empty());
  CHECK(listing.folders[1].name.utf8() == "A/B");
  CHECK(listing.folders[2].directory == ".Sent");
  CHECK(listing.ignored == std::vector<std::string>{".b~d"});
  CHECK(folder_path(account.path(), "") == account.path());
  CHECK(folder_path(account.path(), ".Sent") == account / ".Sent");
}

}  // namespace
}  // namespace postkeep::storage::maildir
