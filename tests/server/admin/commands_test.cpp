#include "server/admin/commands.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "protocol/base/ascii.h"
#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

std::string kind(const Json& answer) { return answer.contains("error") ? answer["error"]["kind"] : "ok"; }

Json person(std::string name) { return {{"name", std::move(name)}, {"verifiers", {"{PLAIN}secret"}}}; }

struct Fixture {
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
    CHECK(find_command(command.noun, command.verb) == &command);
  }
  CHECK(find_command("user", "") == nullptr);
  CHECK(find_command("nothing", "at all") == nullptr);
}

TEST_CASE("docs/administration.md lists every row as the table has it") {
  std::ifstream file(POSTKEEP_SOURCE_DIR "/docs/administration.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const Command& command : commands()) {
    std::string line = "| `postkeep " + full_name(command);
    for (const Parameter& parameter : command.parameters) {
      const std::string name = ascii::to_upper(parameter.name);
      if (parameter.kind == Parameter::Kind::positional) line += " " + name;
      if (parameter.kind == Parameter::Kind::optional_positional) line += " [" + name + "]";
    }
    line += "` | " + std::string(command.help) + " |\n";
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "a user is added, shown, listed, disabled, enabled and deleted") {
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

TEST_CASE_FIXTURE(Fixture, "a new password replaces the old verifiers") {
  add("alice");
  Json arguments = person("alice");
  arguments["verifiers"] = {"{PLAIN}new"};
  CHECK(kind(host.request("user passwd", arguments)) == "ok");
  CHECK(host.users().verifiers("alice").value()[0].hash.reveal() == "new");
  CHECK(kind(host.request("user passwd", person("nobody"))) == "not_found");
}

TEST_CASE_FIXTURE(Fixture, "verifiers are checked where they arrive, too") {
  for (const Json& bad : {Json(), Json(1), Json::array(), Json{1}, Json{"secret"}, Json{"{ROT13}x"}}) {
    CAPTURE(bad.dump());
    CHECK(kind(host.request("user add", {{"name", "eve"}, {"verifiers", bad}})) != "ok");
  }
  CHECK(host.request("user list")["result"].empty());
}

TEST_CASE_FIXTURE(Fixture, "deleting a user leaves the mail unless it is to go as well") {
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

TEST_CASE_FIXTURE(Fixture, "mailboxes are made, listed, renamed, counted and deleted") {
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

TEST_CASE_FIXTURE(Fixture, "mailbox names have the separator that clients see") {
  host.settings_.mailbox.separator = '.';
  add("alice");
  CHECK(mailbox("create", {{"user", "alice"}, {"mailbox", "Work.2026"}}) == "ok");
  CHECK(host.request("mailbox list", {{"user", "alice"}})["result"].dump().find("Work.2026") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a request that makes no sense is answered with an error, whatever it is") {
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
