// man, completion and complete: what the table of commands says about itself. No data is needed.
#include <array>
#include <ostream>
#include <sstream>

#include "server/admin/command_line.h"
#include "server/admin/commands/rows.h"
#include "server/admin/completion.h"
#include "server/admin/documents.h"
#include "server/admin/near_side.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;

ExitCode print_manual(const Json& arguments, NearSide& near) {
  const std::string noun = text_argument(arguments, "noun").value_or("");
  const std::string verb = text_argument(arguments, "verb").value_or("");
  Result<std::string> text = std::string();
  if (flag_argument(arguments, "markdown")) {
    text = commands_markdown();
  } else if (noun.empty() || noun == "postkeep") {
    text = program_manual();
  } else if (noun == "postkeep.toml") {
    text = settings_manual();
  } else {
    text = command_manual(noun, verb);
  }
  if (!text) return tell(text.error(), near);
  near.out << *text;
  return ExitCode::ok;
}

ExitCode print_script(const Json& arguments, NearSide& near) {
  const Result<std::string> script = completion_script(text_argument(arguments, "shell").value_or(""));
  if (!script) return tell(script.error(), near);
  near.out << *script;
  return ExitCode::ok;
}

// The lines that another command of this program prints.
std::vector<std::string> lines_of(const std::vector<std::string>& words, NearSide& near) {
  std::vector<const char*> argv = {"postkeep"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::istringstream in;
  std::ostringstream out, err;
  std::vector<std::string> lines;
  if (run_command_line(static_cast<int>(argv.size()), argv.data(), NearSide{in, out, err, near.serve}) != 0)
    return lines;
  std::istringstream printed(out.str());
  for (std::string line; std::getline(printed, line);) lines.push_back(line);
  return lines;
}

ExitCode print_candidates(const Json& arguments, NearSide& near) {
  const std::vector<std::string> words = texts_argument(arguments, "words").value_or(std::vector<std::string>());
  const RunForLines run = [&near](const std::vector<std::string>& command) { return lines_of(command, near); };
  const Completion completion = complete(words, run);
  for (const Candidate& candidate : completion.candidates) {
    near.out << candidate.word << (candidate.help.empty() ? "" : "\t" + candidate.help) << "\n";
  }
  if (completion.files) near.out << "\tfiles\n";
  return ExitCode::ok;
}

constexpr std::array man_parameters = {
    Parameter{Kind::optional_positional, "noun", "",
              "what about: a command's noun, or postkeep.toml; without it all commands", 0,
              Parameter::Completes::command, "postkeep.toml"},
    Parameter{Kind::optional_positional, "verb", "", "the command's verb"},
    Parameter{Kind::flag, "markdown", "", "print docs/admin-commands.md instead"}};
constexpr std::array completion_parameters = {
    Parameter{Kind::positional, "shell", "", "bash, zsh or fish", 0, Parameter::Completes::nothing, "bash zsh fish"}};
constexpr std::array complete_parameters = {
    Parameter{Kind::rest, "words", "", "the command line as typed so far, behind --"}};

constexpr std::array document_commands = {
    Command{.noun = "man",
            .verb = "",
            .help = "Prints the manual page of all commands, of one, or of the configuration file.",
            .parameters = man_parameters,
            .here = print_manual,
            .details = "    postkeep man | man -l -\n"
                       "    postkeep man mail search | man -l -\n"
                       "    postkeep man postkeep.toml | man -l -"},
    Command{.noun = "completion",
            .verb = "",
            .help = "Prints a script by which a shell completes commands, options, users and mailboxes.",
            .parameters = completion_parameters,
            .here = print_script,
            .details = "    . <(postkeep completion bash)\n"
                       "    postkeep completion zsh > /usr/local/share/zsh/site-functions/_postkeep\n"
                       "    postkeep completion fish > ~/.config/fish/completions/postkeep.fish"},
    Command{.noun = "complete",
            .verb = "",
            .help = "Says what may stand where the last word is being typed: for the scripts of `postkeep completion`.",
            .parameters = complete_parameters,
            .here = print_candidates,
            .details =
                "One a line, with an explanation behind a tab. A line that begins with a tab says that names of files "
                "may stand there.\n"
                "    postkeep complete -- user rename \"\""},
};

}  // namespace

std::span<const Command> document_rows() { return document_commands; }

}  // namespace postkeep::admin
