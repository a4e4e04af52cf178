#include "server/admin/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <list>
#include <map>
#include <thread>

#include "server/admin/local_host.h"
#include "server/admin/near_side.h"
#include "server/admin/socket.h"
#include "server/admin/stream.h"
#include "server/identity.h"
#include "storage/posix_file_system.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

// One row as CLI11 sees it, and where it puts what it finds.
struct ParsedCommand {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string_view, std::string> texts;
  std::map<std::string_view, CLI::Option*> options;  // of `texts`
  std::map<std::string_view, std::vector<std::string>> lists;
  std::map<std::string_view, bool> flags;

  Json arguments() const {
    Json all = Json::object();
    for (const auto& [name, option] : options) {
      if (option->count() > 0) all[std::string(name)] = texts.at(name);
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

void add_parameter(ParsedCommand& parsed, const Parameter& parameter) {
  const std::string name(parameter.name), help(parameter.help);
  std::string dashed = "--" + name;
  if (parameter.letter != 0) dashed.insert(0, std::string{'-', parameter.letter, ','});
  CLI::App& app = *parsed.app;
  switch (parameter.kind) {
    case Parameter::Kind::positional:
    case Parameter::Kind::optional_positional:
      parsed.options[parameter.name] = app.add_option(name, parsed.texts[parameter.name], help)
                                           ->required(parameter.kind == Parameter::Kind::positional)
                                           ->type_name("");
      break;
    case Parameter::Kind::option:
      parsed.options[parameter.name] =
          app.add_option(dashed, parsed.texts[parameter.name], help)->type_name(std::string(parameter.value));
      break;
    case Parameter::Kind::list:
      app.add_option(dashed, parsed.lists[parameter.name], help)
          ->type_name(std::string(parameter.value))
          ->allow_extra_args(false)
          ->take_all();
      break;
    case Parameter::Kind::flag:
      app.add_flag(dashed, parsed.flags[parameter.name], help);
      break;
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
    for (const Parameter& parameter : command.parameters) add_parameter(one, parameter);
  }
  return parsed;
}

Outcome print_result(const Command& command, const Json& result, NearSide& near) {
  if (near.format == NearSide::Format::json) {
    near.out << result.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    command.print(result, near.out);
  }
  return command.check != nullptr ? command.check(result) : Outcome();
}

Outcome run_in_server(const Command& command, const Json& arguments, Channel& server, NearSide& near) {
  TRY(server.send_line({{"command", full_name(command)}, {"arguments", arguments}}));
  if (command.stream != nullptr) return run_near_side(command, arguments, server, near);
  const Channel::Frame answer = TRY(server.receive());
  return print_result(command, TRY(read_answer(answer.line)), near);
}

Result<std::unique_ptr<LocalHost>> open_host(const Settings& settings, storage::FileSystem& files,
                                             const std::optional<server::Identity>& owner) {
  const server::ActingAs user(owner);
  return LocalHost::open(settings, files);
}

// Data is touched as the user that it belongs to; what root reads and prints beside it, as root.
Outcome run_here(const Command& command, const Json& arguments, LocalHost& host,
                 const std::optional<server::Identity>& owner, NearSide& near) {
  if (command.stream != nullptr) TRY(run_both_sides(host, command, arguments, near, owner));
  const server::ActingAs user(owner);
  if (command.stream != nullptr) return host.close_account();
  const Json answer = handle_request(host, {{"command", full_name(command)}, {"arguments", arguments}});
  TRY(host.close_account());
  return print_result(command, TRY(read_answer(answer)), near);
}

// Through the running server if there is one, else under the data lock. Another command, or a server that is just
// starting or stopping, may hold the lock without answering: then both are tried for a while.
Outcome run_somewhere(const Command& command, const Json& arguments, const Settings& settings, NearSide& near) {
  constexpr std::chrono::seconds patience{10};
  constexpr std::chrono::milliseconds pause{50};
  const auto files = storage::posix_file_system();
  const auto owner = TRY(server::service_identity(settings.service));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const std::unique_ptr<Channel> server = TRY(connect_to_server(socket_path(settings.data_dir)));
    if (server) return run_in_server(command, arguments, *server, near);
    TRY(server::make_data_dir(settings.data_dir, owner));
    const auto host = open_host(settings, *files, owner);
    if (host) return run_here(command, arguments, **host, owner, near);
    if (host.error().kind != ErrorKind::in_use || std::chrono::steady_clock::now() > deadline) {
      return tl::unexpected(host.error());
    }
    std::this_thread::sleep_for(pause);
  }
}

void tell_error(const Error& error, NearSide& near) {
  if (near.format == NearSide::Format::json) {
    near.err << to_answer(tl::unexpected(error)).dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    near.err << "postkeep: " << error.text << (error.detail.empty() ? "" : " (" + error.detail + ")") << "\n";
  }
}

int status_of(const Command& command, ExitCode code, const Error* error = nullptr) {
  return command.exit_status != nullptr ? command.exit_status(code, error) : static_cast<int>(code);
}

int run_command(const Command& command, Json arguments, NearSide& near) {
  if (command.here != nullptr) return static_cast<int>(command.here(arguments, near));
  const std::optional<Settings> settings = load_settings(near);
  if (!settings) return status_of(command, ExitCode::bad_config);
  Outcome done;
  if (command.prepare != nullptr) done = command.prepare(arguments, *settings, near);
  if (done) done = run_somewhere(command, arguments, *settings, near);
  if (done) return status_of(command, ExitCode::ok);
  tell_error(done.error(), near);
  return status_of(command, exit_code(done.error().kind), &done.error());
}

}  // namespace

int run_command_line(int argc, const char* const* argv, NearSide near) {
  CLI::App app("Postkeep: mail comes in by LMTP, is kept in Maildir, and is read by IMAP.", "postkeep");
  bool json = false;
  app.add_option("-c,--config", near.config_file, "the configuration file")->type_name("FILE");
  app.add_flag("--json", json, "print results as JSON");
  app.add_flag("--progress", near.progress, "show progress also where standard error is no terminal");
  app.require_subcommand(1);
  const std::list<ParsedCommand> parsed = add_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, near.out, near.err);  // prints the help that was asked for, or what is wrong
    const auto meant = std::ranges::find_if(parsed, [](const ParsedCommand& one) { return one.app->parsed(); });
    if (code == 0 || meant == parsed.end()) return static_cast<int>(code == 0 ? ExitCode::ok : ExitCode::usage);
    return status_of(*meant->command, ExitCode::usage);
  }
  near.format = json ? NearSide::Format::json : NearSide::Format::people;
  for (const ParsedCommand& one : parsed) {
    if (one.app->parsed()) return run_command(*one.command, one.arguments(), near);
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace postkeep::admin
