#include "server/admin/completion.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "auth/schemes.h"
#include "protocol/base/ascii.h"
#include "protocol/imap/commands/search.h"
#include "server/admin/usage.h"

using namespace postkeep;
using namespace postkeep::admin;

namespace {

using Words = std::vector<std::string>;

struct CompletionFixture {
  std::vector<Words> asked;
  RunForLines run = [this](const Words& words) -> Words {
    asked.push_back(words);
    if (words.at(0) == "user") return {"alice", "alina", "bob@example.org"};
    return {"INBOX", "Sent Items"};
  };
  Words offered(const Words& words) {
    Words found;
    for (const Candidate& candidate : complete(words, run).candidates) found.push_back(candidate.word);
    return found;
  }
  static bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

}  // namespace

TEST_CASE_FIXTURE(CompletionFixture, "nouns and verbs are offered with what they are about") {
  const Words nouns = offered({""});
  for (const char* noun : {"user", "mailbox", "mail", "serve", "man"}) CHECK(has(nouns, noun));
  CHECK(offered({"mailb"}) == Words{"mailbox"});
  CHECK(offered({"user", "re"}) == Words{"rename"});
  CHECK(complete({"user", "ren"}, run).candidates.at(0).help == find_command("user", "rename")->help);
  CHECK(offered({"nonsense", ""}).empty());
  CHECK(asked.empty());
}

TEST_CASE_FIXTURE(CompletionFixture, "options are those of the command and those of all commands") {
  const Words options = offered({"user", "delete", "--"});
  CHECK(has(options, "--with-mail"));
  CHECK(has(options, "--dry-run"));
  CHECK(has(options, "--json"));
  CHECK(has(options, "--config"));
  CHECK_FALSE(has(options, "--password-stdin"));
  CHECK(offered({"user", "delete", "alice", "--dr"}) == Words{"--dry-run"});
  CHECK(has(offered({"--"}), "--json"));
}

TEST_CASE_FIXTURE(CompletionFixture, "users and the user's mailboxes are looked up") {
  CHECK(offered({"user", "show", "al"}) == Words{"alice", "alina"});
  CHECK(asked.back() == Words{"user", "list", "--names"});
  CHECK(offered({"mailbox", "status", "alice", "S"}) == Words{"Sent Items"});
  CHECK(asked.back() == Words{"mailbox", "list", "alice", "--names"});
  CHECK(offered({"-c", "a.toml", "mailbox", "--json", "status", "bob", ""}).size() == 2);
  CHECK(asked.back() == Words{"mailbox", "list", "bob", "--names", "--config", "a.toml"});
  offered({"--config=b.toml", "user", "show", ""});
  CHECK(asked.back() == Words{"user", "list", "--names", "--config", "b.toml"});
  CHECK(offered({"mail", "search", "alice", "--mailbox", "I"}) == Words{"INBOX"});
  CHECK(offered({"mail", "move", "alice", "all", "I"}) == Words{"INBOX"});
}

TEST_CASE_FIXTURE(CompletionFixture,
                  "choices and files are offered where they may stand, and nothing where all is said") {
  CHECK(offered({"mailbox", "special-use", "alice", "Sent Items", "s"}) == Words{"sent"});
  Words made;
  for (const auth::SchemeRow& row : auth::schemes()) {
    if (row.make != nullptr) made.emplace_back(row.name);
  }
  CHECK(offered({"user", "add", "carol", "--scheme", ""}) == made);
  CHECK(offered({"completion", ""}) == Words{"bash", "zsh", "fish"});
  CHECK(complete({"user", "list", "--config", ""}, run).files);
  CHECK_FALSE(complete({"user", "list", ""}, run).files);
  CHECK(offered({"user", "show", "alice", ""}).empty());
  CHECK(offered({"mail", "search", "alice", "uns"}) == Words{"unseen"});
}

TEST_CASE_FIXTURE(CompletionFixture, "all search keys are offered but those of a session") {
  Words wanted;
  for (const std::string_view name : imap::search_key_names()) {
    if (name != "NEW" && name != "OLD" && name != "RECENT") wanted.push_back(ascii::to_lower(name));
  }
  CHECK(offered({"mail", "search", "alice", ""}) == wanted);
}

TEST_CASE_FIXTURE(CompletionFixture, "every command is reached, and every line can be completed without harm") {
  for (const Command& command : commands()) {
    CAPTURE(full_name(command));
    CHECK(has(offered({""}), std::string(command.noun)));
    if (!command.verb.empty()) CHECK(has(offered({std::string(command.noun), ""}), std::string(command.verb)));
    Words words = {std::string(command.noun)};
    if (!command.verb.empty()) words.emplace_back(command.verb);
    for (int more = 0; more < 5; ++more) {
      words.emplace_back("");
      complete(words, run);
      words.back() = "--";
      for (const Parameter* option : options_of(command)) {
        CHECK(has(offered(words), "--" + std::string(option->name)));
      }
      words.back() = "x";
    }
  }
  CHECK(complete({}, run).candidates.size() == nouns().size());
}

TEST_CASE("there is a script for each shell that is named, and an error for others") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CHECK(completion_script(shell).value().find("complete --") != std::string::npos);
  }
  CHECK(completion_script("tcsh").error().kind == ErrorKind::bad_syntax);
}
