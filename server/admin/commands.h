// THE table of admin commands: adding one is a function in commands/<noun>.cpp and a row (docs/add-admin-command.md).
// main parses the command line by it, the admin socket finds the row by it, docs/administration.md lists it.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "auth/user_directory.h"
#include "protocol/base/result.h"
#include "server/config/settings.h"
#include "storage/account_store.h"

namespace postkeep::admin {

// What scripts can tell apart.
enum class ExitCode {
  ok = 0,
  failed = 1,     // tried and did not work
  usage = 2,      // the command line is wrong
  not_found = 3,  // no such user or mailbox
  already_exists = 4,
  unavailable = 5,  // disk, lock, server: may work later
  bad_config = 6,   // the configuration file is wrong or missing
};
ExitCode exit_code(ErrorKind kind);

// What a command may touch. In the server the App implements it (accounts are reached through their strands);
// without a running server LocalHost (local_host.h) does, under the data lock. Called on a thread that may block.
class Host {
 public:
  virtual ~Host() = default;
  virtual const Settings& settings() = 0;
  virtual auth::UserDirectory& users() = 0;
  // Runs `work` on the user's account as its only user at that time. Makes the account if it has no mail yet.
  using Work = std::function<Result<nlohmann::json>(storage::AccountStore&)>;
  virtual Result<nlohmann::json> with_account(const std::string& user, const Work& work) = 0;
  // Ends the user's sessions, if any: the login is gone or changed.
  virtual void end_sessions(const std::string& user) = 0;
  // Removes all mail of a user whose sessions have ended. Errors: not_found, in_use.
  virtual Outcome remove_mail(const std::string& user) = 0;
};

// Named values: positionals and options without their dashes. A flag that was given is "".
using Arguments = std::map<std::string, std::string>;

struct Parameter {
  enum class Kind { positional, option, flag };
  Kind kind;
  std::string_view name;   // "name", "scheme"
  std::string_view value;  // what the help calls an option's value, "SCHEME"
  std::string_view help;
};

// What the near side of a command has: the terminal and the configuration.
struct NearSide {
  const Settings& settings;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

struct Command {
  std::string_view noun, verb;
  std::string_view help;  // one sentence
  std::span<const Parameter> parameters;
  // Before anything is sent: reads a password, checks what the far side need not know. May be null.
  Outcome (*prepare)(Arguments& arguments, NearSide& near);
  // Inside the server, or under the data lock.
  Result<nlohmann::json> (*run)(Host& host, const Arguments& arguments);
  // For people; --json prints the value itself.
  void (*print)(const nlohmann::json& result, std::ostream& out);
};

std::span<const Command> commands();
const Command* find_command(std::string_view noun, std::string_view verb);

// One request of the admin socket, {"command": "user add", "arguments": {...}}, to its answer: {"result": ...} or
// {"error": {"kind": ..., "text": ...}}. Never throws.
nlohmann::json handle_request(Host& host, const nlohmann::json& request);

}  // namespace postkeep::admin
