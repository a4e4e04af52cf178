#include "server/admin/usage.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "protocol/base/ascii.h"
#include "protocol/text/similar.h"
#include "server/admin/text_table.h"

namespace postkeep::admin {

namespace {

using Kind = Parameter::Kind;

bool is_positional(const Parameter& parameter) {
  return parameter.kind == Kind::positional || parameter.kind == Kind::optional_positional ||
         parameter.kind == Kind::rest || parameter.kind == Kind::optional_rest;
}

std::vector<const Parameter*> parameters_where(const Command& command, bool positional) {
  std::vector<const Parameter*> some;
  for (const Parameter& parameter : command.parameters) {
    if (is_positional(parameter) == positional) some.push_back(&parameter);
  }
  return some;
}

constexpr std::array global = {
    Parameter{Kind::option, "config", "FILE",
              "the configuration file; without it /etc/postkeep/postkeep.toml, if there is one", 'c',
              Parameter::Completes::file},
    Parameter{Kind::flag, "json", "",
              "print results as JSON, and errors as {\"error\": {\"kind\", \"text\", \"detail\"}}"},
    Parameter{Kind::flag, "progress", "", "show progress also where standard error is no terminal"},
    Parameter{Kind::flag, "help", "", "print what a command does and takes"},
};

constexpr std::array codes = {
    ExitCodeRow{ExitCode::ok, "done"},
    ExitCodeRow{ExitCode::failed, "tried and did not work"},
    ExitCodeRow{ExitCode::usage, "wrong usage: unknown command, missing or wrong argument, no password given"},
    ExitCodeRow{ExitCode::not_found, "no such user or mailbox"},
    ExitCodeRow{ExitCode::already_exists, "there is one of that name already"},
    ExitCodeRow{ExitCode::unavailable, "unavailable: disk, lock or server; may work later"},
    ExitCodeRow{ExitCode::bad_config, "the configuration file is wrong or missing"},
};

std::string parameter_list(std::string_view title, const std::vector<const Parameter*>& parameters) {
  if (parameters.empty()) return "";
  TextTable table({TextTable::Align::left, TextTable::Align::left});
  for (const Parameter* parameter : parameters) table.add({"  " + shown(*parameter), std::string(parameter->help)});
  std::ostringstream rows;
  table.print(rows);
  return "\n" + std::string(title) + ":\n" + rows.str();
}

std::string global_list() {
  std::vector<const Parameter*> parameters;
  for (const Parameter& parameter : global) parameters.push_back(&parameter);
  return parameter_list("Options of every command", parameters);
}

}  // namespace

std::string shown(const Parameter& parameter) {
  const std::string name(parameter.name);
  const std::string letter = parameter.letter == 0 ? "" : std::string{'-', parameter.letter, ',', ' '};
  switch (parameter.kind) {
    case Kind::positional:
      return ascii::to_upper(name);
    case Kind::optional_positional:
      return "[" + ascii::to_upper(name) + "]";
    case Kind::rest:
      return ascii::to_upper(name) + "...";
    case Kind::optional_rest:
      return "[" + ascii::to_upper(name) + "...]";
    case Kind::option:
    case Kind::list:
      return letter + "--" + name + " " + std::string(parameter.value);
    case Kind::flag:
      return letter + "--" + name;
  }
  return name;
}

std::string usage_line(const Command& command) {
  std::string line = full_name(command);
  for (const Parameter* parameter : positionals_of(command)) line += " " + shown(*parameter);
  return line;
}

std::vector<const Parameter*> positionals_of(const Command& command) { return parameters_where(command, true); }
std::vector<const Parameter*> options_of(const Command& command) { return parameters_where(command, false); }

std::string help_text(const Command& command) {
  const auto positionals = positionals_of(command), options = options_of(command);
  std::string text = "Usage: postkeep " + usage_line(command) + (options.empty() ? "" : " [OPTION]...") + "\n\n" +
                     std::string(command.help) + "\n";
  text += parameter_list("Arguments", positionals) + parameter_list("Options", options);
  if (!command.details.empty()) text += "\n";
  for (const Detail& detail : details_of(command)) {
    text += (detail.kind == Detail::Kind::example ? "    " : "") + detail.text + "\n";
  }
  return text + global_list();
}

std::string help_text(std::string_view noun) {
  TextTable table({TextTable::Align::left, TextTable::Align::left});
  for (const Command& command : commands()) {
    if (command.noun == noun) table.add({"  " + usage_line(command), std::string(command.help)});
  }
  std::ostringstream rows;
  table.print(rows);
  const std::string name(noun);
  return "Usage: postkeep " + name + " VERB ...\n\n" + rows.str() + "\n`postkeep " + name +
         " VERB --help` tells more about one.\n";
}

std::string help_text() {
  TextTable table({TextTable::Align::left, TextTable::Align::left});
  for (const Command& command : commands()) table.add({"  " + full_name(command), std::string(command.help)});
  std::ostringstream rows;
  table.print(rows);
  return "Usage: postkeep COMMAND ...\n\nPostkeep: mail comes in by LMTP, is kept in Maildir, and is read by IMAP and "
         "POP3.\n\n" +
         rows.str() + global_list() + "\n`postkeep COMMAND --help` tells more about one.\n";
}

std::string unknown_command(std::span<const std::string_view> words) {
  std::vector<std::string_view> names;  // noun and verb
  for (std::size_t i = 0; i < words.size() && names.size() < 2; ++i) {
    if (words[i] == "-c" || words[i] == "--config") {
      ++i;
    } else if (!words[i].starts_with('-')) {
      names.push_back(words[i]);
    }
  }
  if (names.empty() || find_command(names[0], "") != nullptr) return "";
  std::vector<std::string_view> known = nouns();
  std::string wanted(names[0]), help = "`postkeep --help` lists them.";
  const bool is_noun = std::ranges::find(known, names[0]) != known.end();
  if (is_noun) {
    if (names.size() == 1 || find_command(names[0], names[1]) != nullptr) return "";
    known.clear();
    for (const Command& command : commands()) {
      if (command.noun == names[0]) known.push_back(command.verb);
    }
    help = "`postkeep " + wanted + " --help` lists them.";
    wanted += " " + std::string(names[1]);
  }
  text::NearestName nearest(names[is_noun ? 1 : 0]);
  for (const std::string_view name : known) nearest.offer(name);
  const std::string meant = nearest.best().empty() ? "." : "; did you mean " + std::string(nearest.best()) + "?";
  return "There is no command " + wanted + meant + " " + help;
}

std::span<const Parameter> global_options() { return global; }

std::vector<std::string_view> nouns() {
  std::vector<std::string_view> all;
  for (const Command& command : commands()) {
    if (std::ranges::find(all, command.noun) == all.end()) all.push_back(command.noun);
  }
  return all;
}

std::string noun_help(std::string_view noun) {
  std::string verbs;
  for (const Command& command : commands()) {
    if (command.noun == noun) verbs += (verbs.empty() ? "" : ", ") + std::string(command.verb);
  }
  return verbs;
}

std::span<const ExitCodeRow> exit_codes() { return codes; }

std::vector<Detail> details_of(const Command& command) {
  std::vector<Detail> details;
  std::string_view rest = command.details;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool example = line.starts_with("    ");
    details.push_back(
        {example ? Detail::Kind::example : Detail::Kind::paragraph, std::string(example ? line.substr(4) : line)});
  }
  return details;
}

}  // namespace postkeep::admin
