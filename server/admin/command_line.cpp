#include "server/admin/command_line.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <list>
#include <map>
#include <thread>

#include "server/admin/local_host.h"
#include "server/admin/near_side.h"
#include "server/admin/socket.h"
#include "storage/posix_file_system.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

// One row as CLI11 sees it, and where it puts what it finds.
struct ParsedCommand {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string_view, std::string> texts;
  std::map<std::string_view, std::vector<std::string>> lists;
  std::map<std::string_view, bool> flags;

  Json arguments() const {
    Json all = Json::object();
    for (const auto& [name, text] : texts) {
      const bool positional = app->get_option_no_throw("--" + std::string(name)) == nullptr;
      if (positional || app->count("--" + std::string(name)) > 0) all[std::string(name)] = text;
    }
    for (const auto& [name, list] : lists) {
      if (!list.empty()) all[std::string(name)] = list;
    }
    for (const auto& [name, given] : flags) {
      if (given) all[std::string(name)] = true;
    }
    return all;
  }
};

void add_parameters(ParsedCommand& parsed) {
  for (const Parameter& parameter : parsed.command->parameters) {
    const std::string name(parameter.name), dashed = "--" + name, help(parameter.help);
    switch (parameter.kind) {
      case Parameter::Kind::positional:
        parsed.app->add_option(name, parsed.texts[parameter.name], help)->required()->type_name("");
        break;
      case Parameter::Kind::option:
        parsed.app->add_option(dashed, parsed.texts[parameter.name], help)->type_name(std::string(parameter.value));
        break;
      case Parameter::Kind::list:
        parsed.app->add_option(dashed, parsed.lists[parameter.name], help)
            ->type_name(std::string(parameter.value))
            ->allow_extra_args(false)
            ->take_all();
        break;
      case Parameter::Kind::flag:
        parsed.app->add_flag(dashed, parsed.flags[parameter.name], help);
        break;
    }
  }
}

// The subcommands of all rows; a list, since CLI11 keeps addresses into it.
std::list<ParsedCommand> add_commands(CLI::App& app) {
  std::list<ParsedCommand> parsed;
  std::map<std::string_view, CLI::App*> nouns;
  for (const Command& command : commands()) {
    const std::string noun(command.noun), verb(command.verb), help(command.help);
    if (!verb.empty() && !nouns.contains(command.noun)) {
      CLI::App* group = app.add_subcommand(noun, "Commands about a " + noun + "; see postkeep " + noun + " --help");
      group->require_subcommand(1)->fallthrough();
      nouns[command.noun] = group;
    }
    ParsedCommand& one = parsed.emplace_back();
    one.command = &command;
    one.app = verb.empty() ? app.add_subcommand(noun, help) : nouns[command.noun]->add_subcommand(verb, help);
    one.app->fallthrough();
    add_parameters(one);
  }
  return parsed;
}

// Through the running server if there is one, else under the data lock. Another command, or a server that is just
// starting or stopping, may hold the lock without answering: then both are tried for a while.
Result<Json> run_somewhere(const Command& command, const Json& arguments, const Settings& settings) {
  constexpr std::chrono::seconds patience{10};
  constexpr std::chrono::milliseconds pause{50};
  const Json request = {{"command", full_name(command)}, {"arguments", arguments}};
  const auto files = storage::posix_file_system();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (auto answer = call_server(socket_path(settings.data_dir), request)) return std::move(*answer);
    const auto host = LocalHost::open(settings, *files);
    if (host) return read_answer(handle_request(**host, request));
    if (host.error().kind != ErrorKind::in_use || std::chrono::steady_clock::now() > deadline) {
      return tl::unexpected(host.error());
    }
    std::this_thread::sleep_for(pause);
  }
}

ExitCode tell_error(const Error& error, NearSide& near) {
  if (near.format == NearSide::Format::json) {
    near.err << Json{{"error", {{"kind", to_string(error.kind)}, {"text", error.text}, {"detail", error.detail}}}}.dump(
                    -1, ' ', false, Json::error_handler_t::replace)
             << "\n";
  } else {
    near.err << "postkeep: " << error.text << (error.detail.empty() ? "" : " (" + error.detail + ")") << "\n";
  }
  return exit_code(error.kind);
}

ExitCode run_command(const Command& command, Json arguments, NearSide& near) {
  if (command.here != nullptr) return command.here(arguments, near);
  const std::optional<Settings> settings = load_settings(near);
  if (!settings) return ExitCode::bad_config;
  if (command.prepare != nullptr) {
    if (const Outcome prepared = command.prepare(arguments, *settings, near); !prepared) {
      return tell_error(prepared.error(), near);
    }
  }
  const Result<Json> result = run_somewhere(command, arguments, *settings);
  if (!result) return tell_error(result.error(), near);
  if (near.format == NearSide::Format::json) {
    near.out << result->dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    command.print(*result, near.out);
  }
  return ExitCode::ok;
}

}  // namespace

int run_command_line(int argc, const char* const* argv, NearSide near) {
  CLI::App app("Postkeep: mail comes in by LMTP, is kept in Maildir, and is read by IMAP.", "postkeep");
  bool json = false;
  app.add_option("-c,--config", near.config_file, "the configuration file")->type_name("FILE");
  app.add_flag("--json", json, "print results as JSON");
  app.require_subcommand(1);
  const std::list<ParsedCommand> parsed = add_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, near.out, near.err);  // prints the help that was asked for, or what is wrong
    return static_cast<int>(code == 0 ? ExitCode::ok : ExitCode::usage);
  }
  near.format = json ? NearSide::Format::json : NearSide::Format::people;
  for (const ParsedCommand& one : parsed) {
    if (one.app->parsed()) return static_cast<int>(run_command(*one.command, one.arguments(), near));
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace postkeep::admin
