#include "server/admin/commands.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "auth/schemes.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/usage.h"
#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

std::string kind(const Json& answer) { return answer.contains("error") ? answer["error"]["kind"] : "ok"; }

Json person(std::string name) { return {{"name", std::move(name)}, {"verifiers", {"{PLAIN}secret"}}}; }

struct CommandsFixture {
  test::FakeHost host;
  void add(const std::string& name) { REQUIRE(kind(host.request("user add", person(name))) == "ok"); }
  std::string mailbox(const std::string& verb, Json arguments) {
    return kind(host.request("mailbox " + verb, arguments));
  }
};

}  // namespace

TEST_CASE("every row stands once, has help, and either works here or runs and prints") {
  std::set<std::string> names;
  for (const Command& command : commands()) {
    CAPTURE(full_name(command));
    CHECK(names.insert(full_name(command)).second);
    CHECK(command.help.ends_with('.'));
    const int kinds = (command.here != nullptr) + (command.run != nullptr) + (command.stream != nullptr);
    CHECK(kinds == 1);
    CHECK((command.here == nullptr) == (command.print != nullptr));
    CHECK((command.near_end == nullptr || command.stream != nullptr));
    for (const Parameter& parameter : command.parameters) CHECK_FALSE(parameter.help.empty());
    const bool answers = command.run != nullptr || command.stream != nullptr;
    if (answers || !command.json.empty()) CHECK_FALSE(Json::parse(command.json, nullptr, false).is_discarded());
    CHECK(find_command(command.noun, command.verb) == &command);
  }
  CHECK(find_command("user", "") == nullptr);
  CHECK(find_command("nothing", "at all") == nullptr);
}

TEST_CASE("the schemes that shells offer are those that can be made") {
  std::string offered;
  for (const char c : scheme_choices) offered += c == ' ' ? ", " : std::string(1, c);
  CHECK(offered == auth::makeable_schemes());
}

TEST_CASE("docs/administration.md lists every row as the table has it") {
  std::ifstream file(POSTKEEP_SOURCE_DIR "/docs/administration.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const Command& command : commands()) {
    const std::string line = "| `postkeep " + usage_line(command) + "` | " + std::string(command.help) + " |\n";
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(CommandsFixture, "a user is added, shown, listed, disabled, enabled and deleted") {
  add("bob@Example.org");
  add("alice");
  CHECK(kind(host.request("user add", person("ALICE"))) == "already_exists");
  CHECK(kind(host.request("user add", person("no/way"))) == "cannot");

  const Json shown = host.request("user show", {{"name", "bob@example.ORG"}})["result"];
  CHECK(shown["name"] == "bob@example.org");
  CHECK(shown["enabled"] == true);
  CHECK(shown["created"].get<std::int64_t>() > 1'700'000'000);
  CHECK(shown["schemes"] == Json{"PLAIN"});
  CHECK(shown.dump().find("secret") == std::string::npos);

  const Json listed = host.request("user list")["result"];
  REQUIRE(listed.size() == 2);
  CHECK(listed[0]["name"] == "alice");

  CHECK(host.request("user disable", {{"name", "alice"}})["result"]["enabled"] == false);
  CHECK(host.ended == std::vector<std::string>{"alice"});
  CHECK(host.request("user show", {{"name", "alice"}})["result"]["enabled"] == false);
  CHECK(host.request("user enable", {{"name", "alice"}})["result"]["enabled"] == true);

  CHECK(kind(host.request("user delete", {{"name", "alice"}})) == "ok");
  CHECK(host.ended.size() == 2);
  for (const char* verb : {"show", "delete", "enable", "disable"}) {
    CHECK(kind(host.request(std::string("user ") + verb, {{"name", "alice"}})) == "not_found");
  }
}

TEST_CASE_FIXTURE(CommandsFixture, "a new password replaces the old verifiers") {
  add("alice");
  Json arguments = person("alice");
  arguments["verifiers"] = {"{PLAIN}new"};
  CHECK(kind(host.request("user passwd", arguments)) == "ok");
  CHECK(host.users().verifiers("alice").value()[0].hash.reveal() == "new");
  CHECK(kind(host.request("user passwd", person("nobody"))) == "not_found");
}

TEST_CASE_FIXTURE(CommandsFixture, "verifiers are checked where they arrive, too") {
  for (const Json& bad : {Json(), Json(1), Json::array(), Json{1}, Json{"secret"}, Json{"{ROT13}x"}}) {
    CAPTURE(bad.dump());
    CHECK(kind(host.request("user add", {{"name", "eve"}, {"verifiers", bad}})) != "ok");
  }
  CHECK(host.request("user list")["result"].empty());
}

TEST_CASE_FIXTURE(CommandsFixture, "deleting a user leaves the mail unless it is to go as well") {
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Kept"}}) == "ok");
  CHECK(host.request("user delete", {{"name", "alice"}})["result"]["mail_removed"] == false);
  add("alice");
  CHECK(mailbox("status", {{"user", "alice"}, {"mailbox", "Kept"}}) == "ok");
  CHECK(host.request("user delete", {{"name", "alice"}, {"with-mail", true}})["result"]["mail_removed"] == true);
  add("alice");
  CHECK(mailbox("status", {{"user", "alice"}, {"mailbox", "Kept"}}) == "not_found");
  add("bob");  // has no mail yet
  CHECK(host.request("user delete", {{"name", "bob"}, {"with-mail", true}})["result"]["mail_removed"] == false);
}

TEST_CASE_FIXTURE(CommandsFixture, "a user is renamed with the mail, and not to a name that is taken") {
  add("alice");
  add("bob");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Kept"}}) == "ok");
  const auto rename = [&](const char* from, const char* to) {
    return host.request("user rename", {{"name", from}, {"new-name", to}});
  };
  CHECK(kind(rename("nobody", "carol")) == "not_found");
  CHECK(kind(rename("alice", "BOB")) == "already_exists");
  CHECK(kind(rename("alice", "alice")) == "already_exists");
  CHECK(kind(rename("alice", "no/way")) == "cannot");
  CHECK(host.ended.empty());
  CHECK(rename("ALICE", "carol@Example.org")["result"] == Json{{"name", "carol@example.org"}, {"old_name", "alice"}});
  CHECK(host.ended == std::vector<std::string>{"alice"});
  CHECK(mailbox("status", {{"user", "carol@example.org"}, {"mailbox", "Kept"}}) == "ok");
  CHECK(kind(host.request("user show", {{"name", "alice"}})) == "not_found");
  CHECK(kind(rename("carol@example.org", "Carol@example.org")) == "ok");
}

TEST_CASE_FIXTURE(CommandsFixture, "a user is not renamed to a name under which mail of somebody deleted lies") {
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Hers"}}) == "ok");
  CHECK(kind(host.request("user delete", {{"name", "alice"}})) == "ok");
  add("bob");
  const Json answer = host.request("user rename", {{"name", "bob"}, {"new-name", "alice"}});
  CHECK(kind(answer) == "already_exists");
  CHECK(answer["error"]["text"].get<std::string>().find("already mail") != std::string::npos);
}

TEST_CASE_FIXTURE(CommandsFixture, "a dry run of user delete tells what is there and changes nothing") {
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Kept"}}) == "ok");
  const Json foreseen =
      host.request("user delete", {{"name", "alice"}, {"with-mail", true}, {"dry-run", true}})["result"];
  CHECK(foreseen["dry_run"] == true);
  CHECK(foreseen["mail"]["mailboxes"] == 2);
  CHECK(host.ended.empty());
  CHECK(mailbox("status", {{"user", "alice"}, {"mailbox", "Kept"}}) == "ok");
  add("bob");  // has no mail, and the dry run makes none
  CHECK(host.request("user delete", {{"name", "bob"}, {"dry-run", true}})["result"]["mail"]["mailboxes"] == 0);
  CHECK_FALSE(host.has_mail("bob").value());
}

TEST_CASE_FIXTURE(CommandsFixture, "who names nobody is told whom there is") {
  add("alice");
  const Json answer = host.request("mailbox list", {{"user", "alise"}});
  CHECK(answer["error"]["text"] == "There is no user alise. `postkeep user list` lists them; did you mean alice?");
  CHECK(host.request("user show", {{"name", "zacharias"}})["error"]["text"] ==
        "There is no user zacharias. `postkeep user list` lists them.");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Work"}}) == "ok");
  CHECK(host.request("mailbox status", {{"user", "alice"}, {"mailbox", "work"}})["error"]["text"] ==
        "alice has no mailbox work. `postkeep mailbox list alice` lists them; did you mean Work?");
}

TEST_CASE_FIXTURE(CommandsFixture, "names alone are listed for those who read them by program") {
  add("bob");
  add("alice");
  CHECK(host.request("user list", {{"names", true}})["result"] == Json::array({"alice", "bob"}));
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Work"}}) == "ok");
  CHECK(mailbox("subscribe", {{"user", "alice"}, {"mailbox", "Work"}}) == "ok");
  CHECK(mailbox("delete", {{"user", "alice"}, {"mailbox", "Work"}}) == "ok");
  CHECK(host.request("mailbox list", {{"user", "alice"}, {"names", true}})["result"] == Json::array({"INBOX"}));
}

TEST_CASE_FIXTURE(CommandsFixture, "subscriptions come and go, and a slip of the fingers is told") {
  add("alice");
  const Json subscribed = host.request("mailbox subscribe", {{"user", "alice"}, {"mailbox", "INBOX"}})["result"];
  CHECK(subscribed["subscribed"] == true);
  CHECK(mailbox("subscribe", {{"user", "alice"}, {"mailbox", "Nowhere"}}) == "not_found");
  CHECK(host.request("mailbox unsubscribe", {{"user", "alice"}, {"mailbox", "INBOX"}})["result"]["subscribed"] ==
        false);
  CHECK(mailbox("unsubscribe", {{"user", "alice"}, {"mailbox", "INBOX"}}) == "ok");
  CHECK(mailbox("unsubscribe", {{"user", "alice"}, {"mailbox", "Nowhere"}}) == "not_found");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Gone"}}) == "ok");
  CHECK(mailbox("subscribe", {{"user", "alice"}, {"mailbox", "Gone"}}) == "ok");
  CHECK(mailbox("delete", {{"user", "alice"}, {"mailbox", "Gone"}}) == "ok");
  CHECK(mailbox("unsubscribe", {{"user", "alice"}, {"mailbox", "Gone"}}) == "ok");
  CHECK(host.request("mailbox list", {{"user", "alice"}})["result"].size() == 1);
}

TEST_CASE_FIXTURE(CommandsFixture, "a special use is shown, set and taken away") {
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Sent Items"}}) == "ok");
  const auto use = [&](Json more) {
    more["user"] = "alice";
    more["mailbox"] = "Sent Items";
    return host.request("mailbox special-use", more);
  };
  CHECK(use(Json::object())["result"]["special_use"] == "");
  CHECK(use({{"use", "sent"}})["result"]["special_use"] == "\\Sent");
  CHECK(use(Json::object())["result"]["special_use"] == "\\Sent");
  CHECK(use({{"use", "\\Archive"}})["result"]["special_use"] == "\\Archive");
  CHECK(use({{"use", "none"}})["result"]["special_use"] == "");
  CHECK(kind(use({{"use", "attic"}})) == "bad_syntax");
  CHECK(kind(use({{"use", "all"}})) == "use_attribute");
  CHECK(kind(host.request("mailbox special-use", {{"user", "alice"}, {"mailbox", "Sent"}})) == "not_found");
}

TEST_CASE_FIXTURE(CommandsFixture, "a mailbox is emptied of what is there, and of nothing in a dry run") {
  add("alice");
  host.deliver("alice", "INBOX", 1203);
  const Json arguments = {{"user", "alice"}, {"mailbox", "INBOX"}};
  Json dry = arguments;
  dry["dry-run"] = true;
  const Json foreseen = host.request("mailbox empty", dry)["result"];
  CHECK(foreseen["messages"] == 1203);
  CHECK(foreseen["dry_run"] == true);
  CHECK(host.request("mailbox status", arguments)["result"]["messages"] == 1203);
  const Json done = host.request("mailbox empty", arguments)["result"];
  CHECK(done["messages"] == 1203);
  CHECK(done["octets"] == foreseen["octets"]);
  CHECK(host.request("mailbox status", arguments)["result"]["messages"] == 0);
  CHECK(host.request("mailbox empty", arguments)["result"]["messages"] == 0);
  CHECK(mailbox("empty", {{"user", "alice"}, {"mailbox", "Nowhere"}}) == "not_found");
}

TEST_CASE_FIXTURE(CommandsFixture, "a dry run of mailbox delete tells what would go") {
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Old"}}) == "ok");
  host.deliver("alice", "Old", 3);
  const Json foreseen =
      host.request("mailbox delete", {{"user", "alice"}, {"mailbox", "Old"}, {"dry-run", true}})["result"];
  CHECK(foreseen["messages"] == 3);
  CHECK(foreseen["octets"].get<int>() > 0);
  CHECK(mailbox("status", {{"user", "alice"}, {"mailbox", "Old"}}) == "ok");
  CHECK(host.request("mailbox delete", {{"user", "alice"}, {"mailbox", "Old"}})["result"]["messages"] == 3);
  CHECK(mailbox("status", {{"user", "alice"}, {"mailbox", "Old"}}) == "not_found");
}

TEST_CASE_FIXTURE(CommandsFixture, "mailboxes are made, listed, renamed, counted and deleted") {
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Work/2026"}}) == "ok");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Work/2026"}}) == "already_exists");
  CHECK(mailbox("rename", {{"user", "ALICE"}, {"from", "Work/2026"}, {"to", "Work/Old"}}) == "ok");
  const Json listed = host.request("mailbox list", {{"user", "alice"}})["result"];
  CHECK(listed.dump().find("Work/Old") != std::string::npos);
  CHECK(listed.dump().find("Work/2026") == std::string::npos);
  const Json status = host.request("mailbox status", {{"user", "alice"}, {"mailbox", "Work/Old"}})["result"];
  CHECK(status["messages"] == 0);
  CHECK(status["uid_next"].get<int>() >= 1);
  CHECK(mailbox("delete", {{"user", "alice"}, {"mailbox", "Work/Old"}}) == "ok");
  CHECK(mailbox("delete", {{"user", "alice"}, {"mailbox", "Work/Old"}}) == "not_found");
  CHECK(mailbox("delete", {{"user", "alice"}, {"mailbox", "INBOX"}}) == "cannot");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "a//b"}}) == "cannot");
  CHECK(mailbox("list", {{"user", "nobody"}}) == "not_found");
}

TEST_CASE_FIXTURE(CommandsFixture, "mailbox names have the separator that clients see") {
  host.settings_.mailbox.separator = '.';
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Work.2026"}}) == "ok");
  CHECK(host.request("mailbox list", {{"user", "alice"}})["result"].dump().find("Work.2026") != std::string::npos);
}

TEST_CASE_FIXTURE(CommandsFixture, "a request that makes no sense is answered with an error, whatever it is") {
  for (const char* text :
       {"null", "1", "[]", "{}", "\"user list\"", R"({"command":"user list"})", R"({"command":1,"arguments":{}})",
        R"({"command":"user list","arguments":[]})", R"({"command":"","arguments":{}})",
        R"({"command":"user","arguments":{}})", R"({"command":"user  list","arguments":{}})",
        R"({"command":"serve","arguments":{}})", R"({"command":"config show","arguments":{}})",
        R"({"command":"user show","arguments":{}})", R"({"command":"user show","arguments":{"name":7}})",
        R"({"command":"user add","arguments":{"name":"x","verifiers":{}}})"}) {
    CAPTURE(text);
    CHECK(kind(handle_request(host, Json::parse(text))) == "bad_syntax");
  }
  CHECK(kind(handle_request(host, Json::parse("{not json", nullptr, false))) == "bad_syntax");
}

TEST_CASE("an answer is read back as what it was made from") {
  CHECK(read_answer({{"result", 5}}).value() == 5);
  const Json error = {{"error", {{"kind", "not_found"}, {"text", "No"}, {"detail", "why"}}}};
  CHECK(read_answer(error).error().kind == ErrorKind::not_found);
  CHECK(read_answer(error).error().text == "No");
  CHECK(read_answer(error).error().detail == "why");
  for (const Json& odd : {Json(), Json(1), Json::object(), Json{{"error", 1}}, Json{{"error", Json::object()}}}) {
    CHECK_FALSE(read_answer(odd).has_value());
  }
}

TEST_CASE_FIXTURE(CommandsFixture, "a quota is set, shown and taken back") {
  add("alice");
  host.deliver("alice", "INBOX", 3);
  Json set = host.request("quota set", {{"user", "alice"}, {"storage", "2M"}, {"messages", "3"}});
  CHECK(set["result"]["limit_octets"] == 2 * 1024 * 1024);
  CHECK(set["result"]["limit_messages"] == 3);
  CHECK(set["result"]["messages"] == 3);
  CHECK_THROWS(host.deliver("alice", "INBOX", 1));
  test::FakeExchange exchange;
  REQUIRE(host.stream("quota", "show", {{"user", {"alice"}}}, exchange));
  REQUIRE(exchange.pieces.size() == 1);
  CHECK(exchange.pieces[0]["own_messages"] == 3);
  set = host.request("quota set", {{"user", "alice"}, {"messages", "none"}});
  CHECK(set["result"]["own_messages"] == 0);
  CHECK(set["result"]["limit_messages"].is_null());
  CHECK(set["result"]["limit_octets"] == 2 * 1024 * 1024);
  set = host.request("quota set", {{"user", "alice"}, {"messages", "default"}, {"storage", "default"}});
  CHECK(set["result"]["own_octets"].is_null());
  host.deliver("alice", "INBOX", 1);
  for (const char* wrong : {"", "0", "x", "-1", "5Q"}) {
    CHECK(kind(host.request("quota set", {{"user", "alice"}, {"storage", wrong}})) == "bad_syntax");
    CHECK(kind(host.request("quota set", {{"user", "alice"}, {"messages", wrong}})) == "bad_syntax");
  }
  CHECK(kind(host.request("quota set", {{"user", "nobody"}, {"storage", "1G"}})) == "not_found");
}
