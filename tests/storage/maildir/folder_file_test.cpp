#include "storage/maildir/folder_file.h"

#include <doctest/doctest.h>

#include "storage/digest.h"
#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage::maildir {
namespace {

MailboxFile example() {
  MailboxFile file;
  file.uid_validity = UidValidity(1700000000);
  file.id = MailboxId(42);
  file.special_use = SpecialUse::sent;
  file.uid_floor = 4294967296;
  file.modseq_floor = 200001;
  file.keywords[0] = "$Junk";
  file.keywords[25] = "odd%key";
  file.metadata["/private/comment"] = "two\nlines, 100%";
  file.unknown.emplace_back("later", "something new");
  return file;
}

// `lines` under the head line, closed by the right checksum.
std::string with_checksum(std::string text) { return text + "checksum " + hex(sha256(text), 8) + "\n"; }

TEST_CASE("a mailbox file reads as documented") {
  CHECK(example().render() == with_checksum("postkeep-mailbox 1\n"
                                            "uid-validity 1700000000\n"
                                            "mailbox-id 42\n"
                                            "special-use \\Sent\n"
                                            "uid-floor 4294967296\n"
                                            "modseq-floor 200001\n"
                                            "keyword a $Junk\n"
                                            "keyword z odd%25key\n"
                                            "metadata /private/comment two%0Alines, 100%25\n"
                                            "later something new\n"));
}

TEST_CASE("folder files are read back as written, lines of newer versions included") {
  CHECK(MailboxFile::parse(example().render()).value() == example());
  AccountFile account;
  account.generation = 7;
  account.uid_validity_floor = UidValidity(9);
  account.mailbox_id_floor = 12;
  account.defaults_made = true;
  account.subscriptions = {"INBOX", "Entwürfe/a b"};
  account.quota_octets = 0;
  account.quota_messages = 18'446'744'073'709'551'615U;
  account.metadata["/shared/vendor/x"] = "";
  account.unknown.emplace_back("later", "");
  CHECK(AccountFile::parse(account.render()).value() == account);
  CHECK(AccountFile::parse(AccountFile().render()).value() == AccountFile());
}

TEST_CASE("any cut or changed octet of a folder file is noticed") {
  const std::string text = example().render();
  for (std::size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    CHECK(MailboxFile::parse(text.substr(0, i)).error().kind == ErrorKind::corruption);
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(!MailboxFile::parse(changed));
  }
}

TEST_CASE("a wrong mailbox file is refused with line and reason") {
  const std::string good = "uid-validity 1\nmailbox-id 1\nuid-floor 1\nmodseq-floor 1\n";
  const std::pair<std::string, std::string> rows[] = {
      {"postkeep-account 1\n" + good, "postkeep-mailbox line 1: is another kind of file"},
      {"postkeep-mailbox 2\n" + good, "postkeep-mailbox line 1: has version 2, which this program does not read"},
      {"postkeep-mailbox 1\n", "postkeep-mailbox: uid-validity is missing"},
      {"postkeep-mailbox 1\nuid-validity 0\n", "postkeep-mailbox line 2: uid-validity is out of range"},
      {"postkeep-mailbox 1\nuid-validity 4294967296\n", "postkeep-mailbox line 2: uid-validity is out of range"},
      {"postkeep-mailbox 1\nuid-validity 1x\n", "postkeep-mailbox line 2: uid-validity is not a number"},
      {"postkeep-mailbox 1\n" + good + "uid-floor 2\n", "postkeep-mailbox line 6: uid-floor is there twice"},
      {"postkeep-mailbox 1\nnospace\n", "postkeep-mailbox line 2: is not \"<key> <value>\""},
      {"postkeep-mailbox 1\nkey bad%2\n", "postkeep-mailbox line 2: has a bad %XX"},
      {"postkeep-mailbox 1\nkeyword A x\n", "postkeep-mailbox line 2: keyword is not \"<letter> <keyword>\""},
      {"postkeep-mailbox 1\nkeyword a x\nkeyword b X\n", "postkeep-mailbox line 3: keyword or letter is there twice"},
      {"postkeep-mailbox 1\nspecial-use \\Nonsense\n", "postkeep-mailbox line 2: special-use is unknown"},
      {"postkeep-mailbox 1\nmetadata comment x\n", "postkeep-mailbox line 2: metadata without an entry name"},
  };
  for (const auto& row : rows) {
    const std::string& text = row.first;
    const std::string& detail = row.second;
    CAPTURE(text);
    const auto parsed = MailboxFile::parse(with_checksum(text));
    REQUIRE(!parsed);
    CHECK(parsed.error().kind == ErrorKind::corruption);
    CHECK(parsed.error().detail == detail);
  }
}

TEST_CASE("a keyword's letter is found without regard to case") {
  CHECK(example().letter_of("$junk") == 0);
  CHECK(!example().letter_of("$jun"));
  CHECK(!example().letter_of(""));
}

TEST_CASE("folder files are replaced on disk") {
  const test::TemporaryDirectory folder;
  const auto files = posix_file_system();
  CHECK(read_mailbox_file(*files, folder.path()).error().kind == ErrorKind::not_found);
  REQUIRE(write_mailbox_file(*files, folder.path(), example()));
  CHECK(read_mailbox_file(*files, folder.path()).value() == example());
  AccountFile account;
  account.generation = 3;
  REQUIRE(write_account_file(*files, folder.path(), account));
  CHECK(read_account_file(*files, folder.path()).value() == account);
  CHECK(files->list(folder.path())->size() == 2);
}

}  // namespace
}  // namespace postkeep::storage::maildir
