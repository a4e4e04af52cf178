#include "server/admin/documents.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "server/admin/usage.h"
#include "server/config/settings_table.h"

using namespace postkeep;
using namespace postkeep::admin;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(POSTKEEP_SOURCE_DIR "/" + path);
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

// Lines that begin with a dot or an apostrophe are requests: only those that we mean may be there.
void check_requests(const std::string& page) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK_FALSE(line.starts_with('\''));
    if (!line.starts_with('.')) continue;
    const std::string request = line.substr(1, line.find(' ') - 1);
    bool known = false;
    for (const char* each : {"\\\"", "TH", "nh", "ad", "SH", "SS", "TP", "PP", "B", "I", "RS", "RE", "EX", "EE"}) {
      known = known || request == each;
    }
    CHECK(known);
  }
}

}  // namespace

TEST_CASE("docs/admin-commands.md is what the table of commands says") {
  // If this fails: ./dev docs
  CHECK(text_of("docs/admin-commands.md") == commands_markdown());
}

TEST_CASE("docs/administration.md has the exit codes of the table") {
  const std::string text = text_of("docs/administration.md");
  for (const ExitCodeRow& row : exit_codes()) {
    const std::string line =
        "| " + std::to_string(static_cast<int>(row.code)) + " | " + std::string(row.meaning) + " |\n";
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("the manual page has every command with all its parameters, and the exit codes") {
  const std::string page = program_manual();
  check_requests(page);
  for (const Command& command : commands()) {
    CAPTURE(full_name(command));
    const std::string alone = command_manual(command.noun, command.verb).value();
    check_requests(alone);
    for (const Parameter* option : options_of(command)) {
      std::string name;
      for (const char c : "--" + std::string(option->name)) name += c == '-' ? "\\-" : std::string(1, c);
      CHECK(alone.find(name) != std::string::npos);
    }
    CHECK(page.find(alone.substr(alone.find(".SS "), 30)) != std::string::npos);
  }
  CHECK(page.find(".SH EXIT STATUS\n.TP\n.B 0\ndone\n") != std::string::npos);
}

TEST_CASE("a page can be about one noun or one command, and a slip is told") {
  const std::string user = command_manual("user", "").value();
  CHECK(user.find(".SS \"user rename NAME NEW\\-NAME\"") != std::string::npos);
  CHECK(user.find("mailbox list") == std::string::npos);
  CHECK(command_manual("user", "renam").error().text ==
        "There is no command user renam; did you mean user rename? `postkeep --help` lists them.");
}

TEST_CASE("the manual page of the configuration has every key") {
  const std::string page = settings_manual();
  check_requests(page);
  for (const config::Setting& setting : config::settings_table()) {
    CAPTURE(setting.path());
    CHECK(page.find(".TP\n\\fB" + std::string(setting.key) + "\\fR (") != std::string::npos);
  }
}

TEST_CASE("a word that names no command is answered with the one that may be meant") {
  const auto told = [](std::vector<std::string_view> words) { return unknown_command(words); };
  CHECK(told({"usr", "list"}) == "There is no command usr; did you mean user? `postkeep --help` lists them.");
  CHECK(told({"-c", "x", "user", "--json", "lsit"}) ==
        "There is no command user lsit; did you mean list? `postkeep user --help` lists them.");
  CHECK(told({"user", "xyzzy"}) == "There is no command user xyzzy. `postkeep user --help` lists them.");
  CHECK(told({"user", "list"}).empty());
  CHECK(told({"serve"}).empty());
  CHECK(told({"serve", "nonsense"}).empty());
  CHECK(told({"--help"}).empty());
  CHECK(told({"user", "--help"}).empty());
  CHECK(told({}).empty());
}
