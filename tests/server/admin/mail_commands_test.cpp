// mail search|fetch|flags|copy|move|expunge, on a user's mail in memory.
#include <doctest/doctest.h>

#include <algorithm>

#include "server/admin/mail_batches.h"
#include "server/admin/mail_change.h"
#include "server/admin/mail_fields.h"
#include "tests/server/admin/fake_host.h"
#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

struct MailCommandsFixture {
  test::FakeHost host;

  MailCommandsFixture() {
    auth::User alice;
    alice.name = "alice";
    test::must(host.users().add(alice, {auth::verifier_from_text("{PLAIN}word").value()}));
    CHECK(host.request("mailbox create", {{"user", "alice"}, {"mailbox", "Work"}}).contains("result"));
  }

  static Json arguments(Json query, Json more = Json::object()) {
    more["user"] = "alice";
    if (!query.is_array()) query = Json::array({query});
    more["query"] = std::move(query);
    return more;
  }
  struct Ran {
    Result<Json> result = Json();
    std::vector<Json> pieces;
    std::string octets;
  };
  Ran run(const std::string& verb, const Json& query, const Json& more = Json::object()) {
    test::FakeExchange exchange;
    Ran ran;
    ran.result = host.stream("mail", verb, arguments(query, more), exchange);
    ran.pieces.assign(exchange.pieces.begin(), exchange.pieces.end());
    ran.octets = exchange.octets;
    return ran;
  }
  Json must_change(const std::string& verb, const Json& query, const Json& more = Json::object()) {
    return test::must(run(verb, query, more).result);
  }
  std::vector<int> uids(const Json& query, const Json& more = Json::object()) {
    std::vector<int> found;
    for (const Json& piece : run("search", query, more).pieces) found.push_back(piece["uid"].get<int>());
    return found;
  }
  std::optional<ErrorKind> kind(const std::string& verb, const Json& query, const Json& more = Json::object()) {
    return test::kind_of(run(verb, query, more).result);
  }
};

}  // namespace

TEST_CASE_FIXTURE(MailCommandsFixture, "a search tells mailbox, UID, date, size and flags of each match") {
  host.deliver("alice", "INBOX", 3);
  host.deliver("alice", "Work", 1);
  const std::vector<Json> pieces = run("search", "subject \"number 1\"").pieces;
  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0]["mailbox"] == "INBOX");
  CHECK(pieces[0]["size"].get<int>() > 40);
  CHECK(pieces[0]["flags"] == Json::array());
  CHECK(pieces[0]["date"].get<std::string>().size() == 20);
  CHECK(run("search", "all", {{"mailbox", {"Work", "INBOX", "Work"}}}).pieces.size() == 4);
  CHECK(run("search", "all", {{"all-mailboxes", true}}).pieces.size() == 4);
  CHECK(uids(Json{"uid", "2:3"}) == uids("2:3"));
  CHECK(uids("1:*").size() == 3);
  CHECK(run("search", "all", {{"mailbox", {"Work"}}}).pieces.at(0)["mailbox"] == "Work");
}

TEST_CASE_FIXTURE(MailCommandsFixture, "what cannot be searched is refused before anything is told") {
  CHECK(kind("search", "all", {{"mailbox", {"Wrok"}}}) == ErrorKind::not_found);
  CHECK(kind("search", "all", {{"mailbox", {"Work"}}, {"all-mailboxes", true}}) == ErrorKind::bad_syntax);
  CHECK(kind("search", "xyzzy") == ErrorKind::bad_syntax);
  CHECK(kind("search", "recent") == ErrorKind::cannot);
  CHECK(kind("search", Json::array()) == ErrorKind::bad_syntax);
  CHECK(kind("search", Json::array({1})) == ErrorKind::bad_syntax);
  test::FakeExchange exchange;
  const Json nobody = {{"user", "nobody"}, {"query", {"all"}}};
  CHECK(test::kind_of(host.stream("mail", "search", nobody, exchange)) == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(MailCommandsFixture, "many messages are told in batches, each once and in order") {
  host.deliver("alice", "INBOX", 1203);
  const std::vector<int> found = uids("body text");
  REQUIRE(found.size() == 1203);
  CHECK(std::is_sorted(found.begin(), found.end()));
  CHECK(std::adjacent_find(found.begin(), found.end()) == found.end());
}

TEST_CASE_FIXTURE(MailCommandsFixture, "a search that is interrupted ends between two steps") {
  host.deliver("alice", "INBOX", 1203);
  test::FakeExchange exchange;
  exchange.steps_left = 700;
  CHECK(test::kind_of(host.stream("mail", "search", arguments("all"), exchange)) == ErrorKind::unavailable);
  CHECK(exchange.pieces.size() <= 700);
  CHECK(exchange.pieces.size() > 600);
}

TEST_CASE_FIXTURE(MailCommandsFixture, "fetch tells the fields that are asked for, and no others") {
  host.deliver("alice", "INBOX", 1);
  const Json row = run("fetch", "all", {{"fields", "uid,from,subject,message-id"}}).pieces.at(0);
  CHECK(row ==
        Json{{"uid", row["uid"]}, {"from", "Bob <bob@example.org>"}, {"subject", "Number 0"}, {"message_id", ""}});
  const Json whole = run("fetch", "all").pieces.at(0);
  CHECK(whole["subject"] == "Number 0");
  CHECK(whole["mailbox"] == "INBOX");
  for (const MailField& field : mail_fields()) {
    CAPTURE(field.name);
    const Json alone = run("fetch", "all", {{"fields", field.name}}).pieces.at(0);
    CHECK(alone.size() == 1);
  }
  const Ran wrong = run("fetch", "all", {{"fields", "uid,subjekt"}});
  CHECK(wrong.result.error().text.starts_with("There is no field subjekt; did you mean subject?"));
  CHECK(kind("fetch", "all", {{"fields", ""}}) == ErrorKind::bad_syntax);
  CHECK(kind("fetch", "all", {{"fields", "uid"}, {"body", true}}) == ErrorKind::bad_syntax);
}

TEST_CASE_FIXTURE(MailCommandsFixture, "headers and the body are told as they are") {
  host.deliver("alice", "INBOX", 2);
  const Json headers = run("fetch", "subject \"number 1\"", {{"headers", true}}).pieces.at(0);
  CHECK(headers["headers"] == "From: Bob <bob@example.org>\r\nSubject: Number 1\r\n\r\n");
  CHECK(run("fetch", "subject \"number 1\"", {{"body", true}}).octets ==
        "From: Bob <bob@example.org>\r\nSubject: Number 1\r\n\r\nText 1\r\n");
  CHECK(kind("fetch", "all", {{"body", true}}) == ErrorKind::cannot);
  CHECK(kind("fetch", "subject nothing", {{"body", true}}) == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(MailCommandsFixture, "flags are added, removed and replaced") {
  host.deliver("alice", "INBOX", 3);
  const int first = uids("all").front();
  const Json done = must_change("flags", "all", {{"add", {"seen", "$Junk"}}});
  CHECK(done["messages"] == 3);
  CHECK(done["changed"] == 3);
  CHECK(must_change("flags", "all", {{"add", {"\\Seen"}}})["changed"] == 0);
  CHECK(must_change("flags", "uid " + std::to_string(first),
                    {{"add", {"flagged"}}, {"remove", {"seen $junk"}}})["changed"] == 1);
  CHECK(uids("flagged unseen unkeyword $Junk") == std::vector<int>{first});
  CHECK(must_change("flags", "seen", {{"set", {"draft"}}})["messages"] == 2);
  CHECK(uids("draft unseen").size() == 2);
  CHECK(must_change("flags", "all", {{"set", {""}}})["changed"] == 3);
  CHECK(uids("unflagged undraft").size() == 3);
  const Json foreseen = must_change("flags", "all", {{"add", {"deleted"}}, {"dry-run", true}});
  CHECK(foreseen["messages"] == 3);
  CHECK_FALSE(foreseen.contains("changed"));
  CHECK(uids("deleted").empty());
  CHECK(kind("flags", "all") == ErrorKind::bad_syntax);
  CHECK(kind("flags", "all", {{"add", {"\\Recent"}}}) == ErrorKind::bad_syntax);
  CHECK(kind("flags", "all", {{"set", {"seen"}}, {"add", {"draft"}}}) == ErrorKind::bad_syntax);
}

TEST_CASE("system flags need no backslash, since shells eat it") {
  const Flags flags = test::must(flags_from_words({"Seen \\flagged", "$Forwarded", " draft "}));
  CHECK(flags.has(SystemFlag::seen));
  CHECK(flags.has(SystemFlag::flagged));
  CHECK(flags.has(SystemFlag::draft));
  CHECK(flags.keywords() == std::vector<std::string>{"$Forwarded"});
  CHECK(test::kind_of(flags_from_words({"\\Seem"})) == ErrorKind::bad_syntax);
  CHECK(test::kind_of(flags_from_words({"(x"})) == ErrorKind::bad_syntax);
  CHECK(test::must(flags_from_words({""})).empty());
}

TEST_CASE_FIXTURE(MailCommandsFixture, "messages are copied and moved, into a mailbox that is made if that is wanted") {
  host.deliver("alice", "INBOX", 600);
  CHECK(kind("copy", "all", {{"target", "Archive"}}) == ErrorKind::not_found);
  const Json foreseen = must_change("copy", "all", {{"target", "Archive"}, {"create", true}, {"dry-run", true}});
  CHECK(foreseen["messages"] == 600);
  CHECK(kind("copy", "all", {{"target", "Archive"}}) == ErrorKind::not_found);
  CHECK(must_change("copy", "1:5", {{"target", "Archive"}, {"create", true}})["messages"] == 5);
  const Json moved = must_change("move", "all", {{"target", "Archive"}});
  CHECK(moved["messages"] == 600);
  CHECK(moved["octets"] == foreseen["octets"]);
  CHECK(moved["target"] == "Archive");
  CHECK(uids("all").empty());
  CHECK(uids("all", {{"mailbox", {"Archive"}}}).size() == 605);
  CHECK(kind("move", "all", {{"target", "Archive"}, {"mailbox", {"Archive"}}}) == ErrorKind::cannot);
  const Json rest = must_change("move", "all", {{"target", "Archive"}, {"all-mailboxes", true}});
  CHECK(rest["messages"] == 0);
  CHECK(rest["mailboxes"].empty());
}

TEST_CASE_FIXTURE(MailCommandsFixture, "expunge removes what matches, whatever its flags, and nothing else") {
  host.deliver("alice", "INBOX", 1203);
  must_change("flags", "1", {{"add", {"deleted"}}});
  const int kept = uids("1").front();
  const Json foreseen = must_change("expunge", "2:1203", {{"dry-run", true}});
  CHECK(foreseen["messages"] == 1202);
  CHECK(uids("all").size() == 1203);
  const Json done = must_change("expunge", "2:1203");
  CHECK(done["messages"] == 1202);
  CHECK(done["octets"] == foreseen["octets"]);
  CHECK(done["mailboxes"].size() == 1);
  CHECK(uids("deleted") == std::vector<int>{kept});
  CHECK(must_change("expunge", "undeleted")["messages"] == 0);
}

TEST_CASE_FIXTURE(MailCommandsFixture, "an interrupted change stops after a batch, and what was done stays") {
  host.deliver("alice", "INBOX", 1203);
  test::FakeExchange exchange;
  exchange.steps_left = 1;
  CHECK(test::kind_of(host.stream("mail", "expunge", arguments("all"), exchange)) == ErrorKind::unavailable);
  CHECK(uids("all").size() == 1203 - messages_per_batch);
}
