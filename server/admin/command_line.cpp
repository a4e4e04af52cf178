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
#include "server/admin/usage.h"
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
    take_last_from_rest(all);
    for (const auto& [name, given] : flags) {
      if (given) all[std::string(name)] = true;
    }
    return all;
  }

 private:
  // CLI11 gives all words to the rest; the last one belongs to the positional that follows it, if there is one.
  void take_last_from_rest(Json& all) const {
    const auto positionals = positionals_of(*command);
    for (std::size_t i = 0; i + 1 < positionals.size(); ++i) {
      if (positionals[i]->kind != Parameter::Kind::rest) continue;
      Json& words = all[std::string(positionals[i]->name)];
      if (words.size() < 2) continue;  // the far side says what is missing
      all[std::string(positionals[i + 1]->name)] = words.back();
      words.erase(words.size() - 1);
    }
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
    case Parameter::Kind::rest:
    case Parameter::Kind::optional_rest:
      app.add_option(name, parsed.lists[parameter.name], help)
          ->required(parameter.kind == Parameter::Kind::rest)
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
    bool after_rest = false;
    for (const Parameter& parameter : command.parameters) {
      if (!after_rest || parameter.kind != Parameter::Kind::positional) add_parameter(one, parameter);
      after_rest = after_rest || parameter.kind == Parameter::Kind::rest;
    }
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
    auto host = open_host(settings, *files, owner);
    if (host) {
      const Outcome done = run_here(command, arguments, **host, owner, near);
      const server::ActingAs user(owner);  // the end of the mail store writes, too
      host->reset();
      return done;
    }
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

// The help of the command that --help stands behind, or of a noun, or of all.
std::string asked_help(const std::list<ParsedCommand>& parsed, const std::vector<std::string_view>& words) {
  for (const ParsedCommand& one : parsed) {
    if (one.app->parsed()) return help_text(*one.command);
  }
  for (const std::string_view noun : nouns()) {
    if (std::ranges::find(words, noun) != words.end()) return help_text(noun);
  }
  return help_text();
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
  const std::vector<std::string_view> words(argv + 1, argv + std::max(argc, 1));
  if (const std::string unknown = unknown_command(words); !unknown.empty()) {
    near.err << "postkeep: " << unknown << "\n";
    return static_cast<int>(ExitCode::usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    near.out << asked_help(parsed, words);
    return static_cast<int>(ExitCode::ok);
  } catch (const CLI::ParseError& error) {
    const auto meant = std::ranges::find_if(parsed, [](const ParsedCommand& one) { return one.app->parsed(); });
    near.err << "postkeep: " << error.what();
    if (meant == parsed.end()) {
      near.err << ". `postkeep --help` lists all commands.\n";
      return static_cast<int>(ExitCode::usage);
    }
    near.err << ". Usage: postkeep " << usage_line(*meant->command) << "; --help tells more.\n";
    return status_of(*meant->command, ExitCode::usage);
  }
  near.format = json ? NearSide::Format::json : NearSide::Format::people;
  for (const ParsedCommand& one : parsed) {
    if (one.app->parsed()) return run_command(*one.command, one.arguments(), near);
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace postkeep::admin
