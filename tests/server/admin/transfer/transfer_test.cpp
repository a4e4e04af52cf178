// import and export with both sides, from and to real files, on mail in memory.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <utime.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "server/admin/stream.h"
#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

void put(const std::string& path, const std::string& content, std::int64_t date = 1'600'000'000) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  const utimbuf times{date, date};
  REQUIRE(utime(path.c_str(), &times) == 0);
}

// Folder, message, internal date, flags.
using Mail = std::multiset<std::tuple<std::string, std::string, std::int64_t, std::string>>;

struct TransferFixture {
  test::FakeHost host;
  test::TemporaryDirectory directory;
  std::string source = directory / "source";
  Json report;  // of the last command

  TransferFixture() {
    for (const char* name : {"alice", "bob"}) {
      REQUIRE(host.request("user add", {{"name", name}, {"verifiers", {"{PLAIN}x"}}}).contains("result"));
    }
  }

  Outcome run(const char* command, Json arguments) {
    std::istringstream in;
    std::ostringstream out, err;
    NearSide near{in, out, err, nullptr};
    near.format = NearSide::Format::json;
    const Outcome done = run_both_sides(host, *find_command(command, ""), arguments, near);
    report = Json::parse(out.str(), nullptr, false);
    return done;
  }

  Mail mail_of(const std::string& user) {
    Mail all;
    const auto read = [&](storage::AccountStore& account) -> Result<Json> {
      const std::vector<storage::Mailbox> mailboxes = account.list_mailboxes().value();
      for (const storage::Mailbox& mailbox : mailboxes) {
        if (!mailbox.exists) continue;
        const auto version = account.version(mailbox.id).value();
        storage::FetchWants wants;
        wants.dates = true;
        const std::vector<storage::MessageRow> rows = account.fetch(mailbox.id, version->all_uids(), wants).value();
        for (const storage::MessageRow& row : rows) {
          std::string text;
          const auto reader = account.open_message(mailbox.id, row.uid).value();
          REQUIRE(reader->read(0, reader->size(), text).has_value());
          const auto state = version->find(row.uid).value();
          all.emplace(mailbox.name.utf8(), text, row.internal_date.seconds, version->flags_of(state).to_wire());
        }
      }
      return Json();
    };
    REQUIRE(host.with_account(user, read).has_value());
    return all;
  }

  void make_source() {
    put(source + "/cur/1.a:2,FS", "Subject: one\n\nx\n", 1'500'000'001);
    put(source + "/cur/2.a:2,ab", "Subject: two\r\n\r\nx\r\n", 1'500'000'002);
    put(source + "/new/3.a", "Subject: same\n\n", 1'500'000'003);
    put(source + "/new/4.a", "Subject: same\r\n\r\n", 1'500'000'003);
    put(source + "/tmp/5.a", "not yet there");
    put(source + "/cur/.hidden", "no message");
    put(source + "/dovecot-keywords", "0 $Label1\n1 Work\nx y\n77 far\n");
    put(source + "/.Entw&APw-rfe.2026/cur/6.a:2,DPT", "Subject: draft\n\n", 1'500'000'006);
    put(source + "/.Entw&APw-rfe.2026/new/7.a", "", 1'500'000'007);
    put(source + "/.Sent/cur/8.a:2,R", "Subject: sent\n\n", 1'500'000'008);
    put(source + "/.Not a mailbox/x", "");
    put(source + "/.bad..name/cur/9.a", "Subject: lost\n\n");
  }
};

const Mail expected = {
    {"INBOX", "Subject: one\r\n\r\nx\r\n", 1'500'000'001, "\\Flagged \\Seen"},
    {"INBOX", "Subject: two\r\n\r\nx\r\n", 1'500'000'002, "$Label1 Work"},
    {"INBOX", "Subject: same\r\n\r\n", 1'500'000'003, ""},
    {"INBOX", "Subject: same\r\n\r\n", 1'500'000'003, ""},
    {"Entw\xC3\xBCrfe/2026", "Subject: draft\r\n\r\n", 1'500'000'006, "\\Deleted \\Draft $Forwarded"},
    {"Entw\xC3\xBCrfe/2026", "", 1'500'000'007, ""},
    {"Sent", "Subject: sent\r\n\r\n", 1'500'000'008, "\\Answered"},
};

}  // namespace

TEST_CASE_FIXTURE(TransferFixture,
                  "a Maildir comes in with its folders, flags, keywords and dates; twice adds nothing") {
  make_source();
  const Json arguments = {{"user", "alice"}, {"maildir", source}};
  CHECK(run("import", arguments).error().kind == ErrorKind::cannot);  // one folder has no name for us
  CHECK(report["added"] == 7);
  CHECK(report["skipped"][0]["what"] == ".bad..name");
  CHECK(mail_of("alice") == expected);
  (void)run("import", arguments);
  CHECK(report["added"] == 0);
  CHECK(report["present"] == 7);
  CHECK(mail_of("alice") == expected);
}

TEST_CASE_FIXTURE(TransferFixture,
                  "of identical messages as many arrive as there are, also after a part of them came") {
  put(source + "/cur/1", "Subject: same\n\n");
  const Json arguments = {{"user", "alice"}, {"maildir", source}};
  REQUIRE(run("import", arguments).has_value());
  put(source + "/new/2", "Subject: same\n\n");
  put(source + "/new/0", "Subject: same\n\n");
  REQUIRE(run("import", arguments).has_value());
  CHECK(report["added"] == 2);
  CHECK(mail_of("alice").size() == 3);
  REQUIRE(run("import", arguments).has_value());
  CHECK(mail_of("alice").size() == 3);
}

TEST_CASE_FIXTURE(TransferFixture, "a dry run tells what would be and does nothing") {
  make_source();
  (void)run("import", {{"user", "alice"}, {"maildir", source}, {"dry-run", true}});
  CHECK(report["added"] == 7);
  CHECK(report["dry_run"] == true);
  CHECK(mail_of("alice").empty());
  CHECK(host.request("mailbox list", {{"user", "alice"}})["result"].size() == 1);
}

TEST_CASE_FIXTURE(TransferFixture, "a Maildir can go under a mailbox, an mbox file into one") {
  fs::remove_all(source);
  put(source + "/cur/1", "Subject: a\n\n");
  put(source + "/.Sub/cur/2", "Subject: b\n\n");
  REQUIRE(run("import", {{"user", "alice"}, {"maildir", source}, {"mailbox", "Old"}}).has_value());
  put(directory / "m.mbox",
      "From a@b Thu Nov 26 17:33:22 2026\nStatus: R\nSubject: c\n\nx\n\nFrom - \nDate: Thu, 26 Nov 2026 "
      "17:33:23 +0000\n\n");
  REQUIRE(run("import", {{"user", "alice"}, {"mbox", directory / "m.mbox"}, {"mailbox", "Old/Lists"}}).has_value());
  CHECK(mail_of("alice") == Mail{{"Old", "Subject: a\r\n\r\n", 1'600'000'000, ""},
                                 {"Old/Sub", "Subject: b\r\n\r\n", 1'600'000'000, ""},
                                 {"Old/Lists", "Subject: c\r\n\r\nx\r\n", 1795714402, "\\Seen"},
                                 {"Old/Lists", "Date: Thu, 26 Nov 2026 17:33:23 +0000\r\n", 1795714403, ""}});
}

TEST_CASE_FIXTURE(TransferFixture,
                  "what is exported to a Maildir and imported elsewhere is the same mail; twice writes nothing") {
  make_source();
  (void)run("import", {{"user", "alice"}, {"maildir", source}});
  const std::string target = directory / "target";
  REQUIRE(run("export", {{"user", "alice"}, {"maildir", target}}).has_value());
  CHECK(report["written"] == 7);
  REQUIRE(run("export", {{"user", "alice"}, {"maildir", target}}).has_value());
  CHECK(report["written"] == 0);
  CHECK(report["present"] == 7);
  REQUIRE(run("import", {{"user", "bob"}, {"maildir", target}}).has_value());
  CHECK(mail_of("bob") == expected);
}

TEST_CASE_FIXTURE(TransferFixture, "an export goes on where it was: what is missing or cut short is written") {
  make_source();
  (void)run("import", {{"user", "alice"}, {"maildir", source}});
  const std::string target = directory / "target";
  REQUIRE(run("export", {{"user", "alice"}, {"maildir", target}}).has_value());
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(target + "/cur")) files.push_back(entry.path());
  REQUIRE(files.size() == 4);
  fs::remove(files[0]);
  fs::resize_file(files[1], 3);
  fs::rename(files[2], files[2].string() + "R");  // another flag, by somebody else
  REQUIRE(run("export", {{"user", "alice"}, {"maildir", target}}).has_value());
  CHECK(report["written"] == 2);
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(target + "/cur")) count += entry.is_regular_file() ? 1 : 0;
  CHECK(count == 4);
}

TEST_CASE_FIXTURE(TransferFixture, "an mbox file is completed, a cut message written again, another's file refused") {
  make_source();
  (void)run("import", {{"user", "alice"}, {"maildir", source}});
  const std::string file = directory / "out.mbox";
  const Json arguments = {{"user", "alice"}, {"mbox", file}};
  REQUIRE(run("export", arguments).has_value());
  CHECK(report["written"] == 4);
  std::ofstream(file, std::ios::app) << "From a@b Thu Nov 26 17:33:22 2026\ncut sho";
  put(source + "/new/9", "Subject: later\n\n", 1'500'000'009);
  (void)run("import", {{"user", "alice"}, {"maildir", source}});
  REQUIRE(run("export", arguments).has_value());
  CHECK(report["written"] == 1);
  REQUIRE(run("import", {{"user", "bob"}, {"mbox", file}}).has_value());
  CHECK(report["added"] == 5);
  Mail inbox = expected;
  std::erase_if(inbox, [](const auto& message) { return std::get<0>(message) != "INBOX"; });
  inbox.emplace("INBOX", "Subject: later\r\n\r\n", 1'500'000'009, "");
  CHECK(mail_of("bob") == inbox);

  CHECK(run("export", {{"user", "bob"}, {"mbox", file}}).error().kind == ErrorKind::cannot);
  put(directory / "foreign", "From - \n\n");
  CHECK(run("export", {{"user", "bob"}, {"mbox", directory / "foreign"}}).error().kind == ErrorKind::already_exists);
}

TEST_CASE_FIXTURE(TransferFixture, "what cannot be done is told before anything is") {
  CHECK(run("import", {{"user", "nobody"}, {"maildir", source}}).error().kind == ErrorKind::not_found);
  CHECK(run("import", {{"user", "alice"}, {"maildir", source}}).error().kind == ErrorKind::not_found);
  CHECK(run("import", {{"user", "alice"}, {"maildir", directory.path()}}).error().kind == ErrorKind::cannot);
  CHECK(run("import", {{"user", "alice"}, {"mbox", directory / "none"}}).error().kind == ErrorKind::not_found);
  CHECK(run("export", {{"user", "nobody"}, {"maildir", source}}).error().kind == ErrorKind::not_found);
  CHECK(run("export", {{"user", "alice"}, {"maildir", source}, {"mailbox", "None"}}).error().kind ==
        ErrorKind::not_found);
}

TEST_CASE_FIXTURE(TransferFixture, "a mailbox that cannot be is left out with its reason, the others come in") {
  put(source + "/cur/1", "Subject: a\n\n");
  put(source + "/." + std::string(200, 'x') + "/cur/2", "Subject: b\n\n");
  const Outcome done = run("import", {{"user", "alice"}, {"maildir", source}, {"mailbox", std::string(100, 'y')}});
  CHECK(report["added"].get<int>() >= 1);
  CHECK(done.has_value() == (report["skipped_count"] == 0));
}

TEST_CASE_FIXTURE(TransferFixture, "an interrupted import keeps what came whole") {
  test::FakeExchange exchange;
  exchange.put({{"mailbox", {{"name", "INBOX"}}}});
  exchange.put({{"message", {{"name", "a"}, {"date", 5}, {"flags", {"\\Seen"}}}}});
  exchange.put_octets("Subject: a\n\n");
  exchange.put({{"whole", true}});
  exchange.put({{"message", {{"name", "b"}, {"date", 6}, {"flags", Json::array()}}}});
  exchange.put_octets("Subject: b");
  exchange.steps_left = 7;  // to receive and to answer; then it is cut
  CHECK_FALSE(host.stream("import", "", {{"user", "alice"}}, exchange).has_value());
  CHECK(mail_of("alice") == Mail{{"INBOX", "Subject: a\r\n\r\n", 5, "\\Seen"}});
}

TEST_CASE_FIXTURE(TransferFixture, "a near side that talks nonsense is refused") {
  for (const Json& odd : {Json(1), Json::object(), Json{{"whole", true}}, Json{{"message", Json::object()}},
                          Json{{"mailbox", 1}}, Json{{"mailbox", {{"name", 7}}}}}) {
    CAPTURE(odd.dump());
    test::FakeExchange exchange;
    exchange.put(odd);
    CHECK_FALSE(host.stream("import", "", {{"user", "alice"}}, exchange).has_value());
  }
  test::FakeExchange exchange;
  exchange.put_octets("x");
  CHECK(host.stream("import", "", {{"user", "alice"}}, exchange).error().kind == ErrorKind::bad_syntax);
}
