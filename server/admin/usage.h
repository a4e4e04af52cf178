// How a command is written, in words: made from the table of commands for the help, the manual pages, the shells'
// completion and docs/. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/admin/commands.h"

namespace postkeep::admin {

// "QUERY...", "[USE]", "--fields FIELD,...", "-c, --config FILE"
std::string shown(const Parameter& parameter);
// "user rename NAME NEW-NAME": the positionals alone.
std::string usage_line(const Command& command);
// The parameters of one kind of place on the line: positionals, or options.
std::vector<const Parameter*> positionals_of(const Command& command);
std::vector<const Parameter*> options_of(const Command& command);

// What to say about the words behind "postkeep" if they name no command: "There is no command usr; did you mean user?
// ...". Empty if they do, or are none.
std::string unknown_command(std::span<const std::string_view> words);

// What --help prints: about one command, about a noun with verbs, about the whole program.
std::string help_text(const Command& command);
std::string help_text(std::string_view noun);
std::string help_text();

// The options that every command has.
std::span<const Parameter> global_options();

// All nouns, in the order of the table; and what is said about one that has verbs.
std::vector<std::string_view> nouns();
std::string noun_help(std::string_view noun);

// What scripts can tell apart.
struct ExitCodeRow {
  ExitCode code;
  std::string_view meaning;
};
std::span<const ExitCodeRow> exit_codes();

// Paragraphs of a row's `details`; an example is a line that began with four spaces, without them.
struct Detail {
  enum class Kind { paragraph, example };
  Kind kind;
  std::string text;
};
std::vector<Detail> details_of(const Command& command);

}  // namespace postkeep::admin
