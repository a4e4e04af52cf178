#include "server/admin/documents.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/text/similar.h"
#include "server/admin/near_side.h"
#include "server/admin/usage.h"
#include "server/config/settings_table.h"
#include "server/version.h"

namespace postkeep::admin {

namespace {

constexpr std::string_view manual_date = "2026-11-26";  // of the last change to what stands in this file

// Text for troff (groff_man(7)): a backslash and a hyphen as themselves, and no line that would be a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (out.empty() || out.ends_with('\n'))) out += "\\&";
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }

// In a macro's argument, quotes are doubled.
std::string quoted_argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : roff(text)) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

// Text of the settings' table: `code` in bold.
std::string with_code(std::string_view text) {
  std::string out;
  bool code = false;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('`', start), text.size());
    const std::string_view part = text.substr(start, end - start);
    if (!part.empty()) out += code ? bold(part) : roff(part);
    code = !code;
    start = end + 1;
  }
  return out;
}

std::string head(std::string_view title, std::string_view section) {
  return ".\\\" Made by `postkeep man`.\n.TH " + ascii::to_upper(title) + " " + std::string(section) + " " +
         std::string(manual_date) + " \"Postkeep " + std::string(version) + "\" \"Postkeep\"\n.nh\n.ad l\n";
}

std::string option_entry(const Parameter& parameter) {
  std::string entry = ".TP\n";
  if (parameter.letter != 0) entry += bold(std::string{'-', parameter.letter}) + ", ";
  entry += bold("--" + std::string(parameter.name));
  if (!parameter.value.empty()) entry += " \\fI" + roff(parameter.value) + "\\fR";
  return entry + "\n" + with_code(parameter.help) + "\n";
}

std::string positional_entry(const Parameter& parameter) {
  return ".TP\n\\fI" + roff(shown(parameter)) + "\\fR\n" + with_code(parameter.help) + "\n";
}

std::string command_section(const Command& command) {
  std::string text = ".SS " + quoted_argument(usage_line(command)) + "\n" + with_code(command.help) + "\n";
  for (const Parameter* parameter : positionals_of(command)) text += positional_entry(*parameter);
  for (const Parameter* parameter : options_of(command)) text += option_entry(*parameter);
  bool in_example = false;
  for (const Detail& detail : details_of(command)) {
    const bool example = detail.kind == Detail::Kind::example;
    if (in_example && !example) text += ".EE\n.RE\n";
    if (example && !in_example) text += ".PP\n.RS\n.EX\n";
    if (!example) text += ".PP\n";
    text += (example ? roff(detail.text) : with_code(detail.text)) + "\n";
    in_example = example;
  }
  if (in_example) text += ".EE\n.RE\n";
  return text;
}

std::string options_section() {
  std::string text = ".SH OPTIONS\nThey may stand anywhere on the line.\n";
  for (const Parameter& parameter : global_options()) text += option_entry(parameter);
  return text;
}

std::string exit_section() {
  std::string text = ".SH EXIT STATUS\n";
  for (const ExitCodeRow& row : exit_codes()) {
    text += ".TP\n.B " + std::to_string(static_cast<int>(row.code)) + "\n" + roff(row.meaning) + "\n";
  }
  return text;
}

std::string synopsis(std::string_view rest) {
  return ".SH SYNOPSIS\n.B postkeep\n[" + bold("--config") + " \\fIFILE\\fR] [" + bold("--json") + "] " +
         std::string(rest) + "\n";
}

std::string files_section() {
  return ".SH FILES\n.TP\n.I " + roff(standard_config_file) + "\nThe configuration, if there is such a file; see " +
         bold("postkeep.toml") + "(5).\n.TP\n.I " + roff(Settings().data_dir) +
         "\nAll data, unless the configuration says otherwise: mail, indexes, users, spool.\n.TP\n.I " +
         roff(Settings().data_dir + "/admin.sock") + "\nThe socket through which commands run inside the server.\n";
}

std::string description_section() {
  return ".SH DESCRIPTION\n" + bold("postkeep serve") +
         " is the server: mail comes in by LMTP, is kept in Maildir, and is read by IMAP and POP3. Everything else "
         "acts on "
         "the same data and ends. While a server runs, a command is run inside it, through a socket that belongs to "
         "the "
         "owner of the data; otherwise the command takes the data's lock itself. It is the same command either way.\n";
}

std::string json_line(const Command& command) {
  if (command.json.empty()) return "";
  return "\nWith `--json`:\n\n```json\n" + std::string(command.json) + "\n```\n";
}

std::string markdown_section(const Command& command) {
  std::string text = "\n### `postkeep " + usage_line(command) + "`\n\n" + std::string(command.help) + "\n";
  const auto positionals = positionals_of(command), options = options_of(command);
  if (!positionals.empty() || !options.empty()) text += "\n| Argument | Meaning |\n|---|---|\n";
  for (const auto& list : {positionals, options}) {
    for (const Parameter* parameter : list) {
      text += "| `" + shown(*parameter) + "` | " + std::string(parameter->help) + " |\n";
    }
  }
  bool in_example = false;
  for (const Detail& detail : details_of(command)) {
    const bool example = detail.kind == Detail::Kind::example;
    if (!example || !in_example) text += "\n";
    text += (example ? "    " : "") + detail.text + "\n";
    in_example = example;
  }
  return text + json_line(command);
}

}  // namespace

std::string program_manual() {
  std::string text = head("postkeep", "1") + ".SH NAME\npostkeep \\- keep mail: LMTP in, Maildir, IMAP and POP3 out\n" +
                     synopsis("\\fINOUN\\fR [\\fIVERB\\fR] [\\fIARGUMENT\\fR...]") + description_section() +
                     options_section() + ".SH COMMANDS\n";
  for (const Command& command : commands()) text += command_section(command);
  return text + exit_section() + files_section() + ".SH SEE ALSO\n" + bold("postkeep.toml") + "(5)\n";
}

Result<std::string> command_manual(std::string_view noun, std::string_view verb) {
  std::string title = "postkeep-" + std::string(noun), name = std::string(noun), sections;
  if (!verb.empty()) {
    title += "-" + std::string(verb);
    name += " " + std::string(verb);
  }
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    names.push_back(verb.empty() ? std::string(command.noun) : full_name(command));
    if (command.noun == noun && (verb.empty() || command.verb == verb)) sections += command_section(command);
  }
  if (sections.empty()) {
    text::NearestName nearest(name);
    for (const std::string& other : names) nearest.offer(other);
    const std::string meant = nearest.best().empty() ? "." : "; did you mean " + std::string(nearest.best()) + "?";
    return failure(ErrorKind::not_found, "There is no command " + name + meant + " `postkeep --help` lists them.");
  }
  return head(title, "1") + ".SH NAME\n" + roff(title) + " \\- " + roff("commands of postkeep") + "\n" +
         synopsis("\\fI" + roff(name) + "\\fR [\\fIARGUMENT\\fR...]") + ".SH DESCRIPTION\n" + sections +
         options_section() + exit_section() + ".SH SEE ALSO\n" + bold("postkeep") + "(1), " + bold("postkeep.toml") +
         "(5)\n";
}

std::string settings_manual() {
  std::string text =
      head("postkeep.toml", "5") + ".SH NAME\npostkeep.toml \\- configuration of postkeep\n.SH DESCRIPTION\n" +
      "The file is TOML. Every key has a default, so an empty file is a correct one, though a server with no address "
      "to "
      "listen on will not start. A size is a number of octets or a text with K, M or G (\"64K\"); a time is a number "
      "of "
      "seconds or a text with s, m, h or d (\"30m\"); an address is \"host:port\", \"[v6]:port\", \"*:port\" or "
      "\"unix:path\".\n.PP\n" +
      bold("postkeep config check") + " tells all mistakes at once, with line numbers; " +
      bold("postkeep config show") + " prints what is in effect.\n";
  const Settings defaults;
  std::string_view section = "none yet";
  for (const config::Setting& setting : config::settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      text += ".SH " + quoted_argument(section.empty() ? "TOP OF THE FILE" : "[" + std::string(section) + "]") + "\n";
    }
    const std::string standard =
        setting.path() == "hostname" ? "the machine's name" : config::to_toml(setting.get(defaults));
    text += ".TP\n" + bold(setting.key) + " (" + roff(to_string(setting.type)) + ", default " + roff(standard) + ")\n" +
            with_code(setting.doc) + "\n";
  }
  return text + ".SH FILES\n.I " + roff(standard_config_file) + "\n.SH SEE ALSO\n" + bold("postkeep") + "(1)\n";
}

std::string commands_markdown() {
  std::string text =
      "# Admin commands\n\n"
      "Written by `postkeep man --markdown` from the table of commands; a test compares the two. What they have in "
      "common "
      "stands in\n[administration.md](administration.md). `postkeep man` prints the same as a manual page.\n";
  std::string_view noun;
  for (const Command& command : commands()) {
    if (command.noun != noun) text += "\n## " + std::string(command.noun) + "\n";
    noun = command.noun;
    text += markdown_section(command);
  }
  return text;
}

}  // namespace postkeep::admin
