// THE table of admin commands: adding one is a function in commands/<noun>.cpp and a row (docs/add-admin-command.md).
// The command line is parsed by it, the admin socket finds the row by it, docs/administration.md lists it.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authenticator.h"
#include "auth/last_logins.h"
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

class Exchange;
class LiveServer;
class NearEnd;
struct Command;

// What a command may touch. In the server the App implements it (accounts are reached through their strands);
// without a running server LocalHost (local_host.h) does, under the data lock. Called on threads that may block;
// in the server several commands may run at once.
class Host {
 public:
  virtual ~Host() = default;
  virtual const Settings& settings() = 0;
  virtual auth::UserDirectory& users() = 0;
  // When users logged in last, up to this moment.
  virtual Result<auth::LastLogins*> last_logins() = 0;
  // Runs `work` on the user's account as its only user at that time. Makes the account if it has no mail yet.
  using Work = std::function<Result<nlohmann::json>(storage::AccountStore&)>;
  virtual Result<nlohmann::json> with_account(const std::string& user, const Work& work) = 0;
  // Ends the user's sessions, if any, and waits for their end for a short while: the login is gone.
  virtual void end_sessions(const std::string& user) = 0;
  // Removes all mail of a user whose sessions have ended. Errors: not_found (there was none), in_use.
  virtual Outcome remove_mail(const std::string& user) = 0;
  // Whose mail an address is; as auth::Authenticator has it.
  virtual Result<auth::Recipient> resolve_recipient(std::string_view address) = 0;
  // A place for a message on its way in, to be appended in with_account(). `limit` in octets.
  virtual Result<std::shared_ptr<storage::Incoming>> begin_incoming(std::uint64_t limit) = 0;
  // The running server (live_server.h); null without one.
  virtual LiveServer* live() { return nullptr; }
  // Is there mail of that name, whether or not there is such a user? Makes none, unlike with_account().
  virtual Result<bool> has_mail(const std::string& user) = 0;
  // Everybody who has mail, users or not, sorted.
  virtual Result<std::vector<std::string>> mail_accounts() = 0;
  // Gives login and mail another name and ends the sessions, all or nothing (user_rename.h). `to` is valid, and neither
  // a login nor mail has it. Errors: not_found, already_exists, in_use (the sessions do not end), cannot.
  virtual Outcome rename_user(const std::string& from, const std::string& to) = 0;
};

// One argument of a command, on the command line and in a request's "arguments" object: a text under its name; for a
// flag true; for a list and for the rest an array of texts.
struct Parameter {
  enum class Kind {
    positional,
    optional_positional,  // may be missing; nothing but other optional ones may follow
    rest,                 // positionals, one or more; a plain positional may follow
    optional_rest,        // positionals, any number; nothing follows
    option,
    list,  // an option that may be given several times
    flag,
  };
  // What the shell offers when this is to be typed.
  enum class Completes { nothing, user, mailbox, file, command };

  Kind kind;
  std::string_view name;        // "name"; an option is "scheme" here and "--scheme" on the command line
  std::string_view value = {};  // what the help calls an option's value, "SCHEME"; empty for others
  std::string_view help;
  char letter = 0;                           // 'd': also "-d" on the command line
  Completes completes = Completes::nothing;  // mailbox: one of the user that the command names
  std::string_view choices = {};             // all that it can be, separated by spaces
};

// The near side of a command: the process that was started, its terminal and its options.
struct NearSide {
  enum class Format { people, json };
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  int (*serve)(Settings settings, const std::string& config_file);  // runs the server, returns its exit code
  std::string config_file = {};  // of --config; empty: the standard place, if there is a file
  Format format = Format::people;
  bool progress = false;  // --progress: also where standard error is no terminal, or with --json
};

// A row. Either `here` alone is set (the command needs no data), or one of `run` and `stream`, and `print`, and perhaps
// `prepare`.
struct Command {
  std::string_view noun, verb = {};  // verb is empty for `serve` and `version`
  std::string_view help;             // one sentence
  std::span<const Parameter> parameters = {};
  // Does it all in the near side; returns the exit code.
  ExitCode (*here)(const nlohmann::json& arguments, NearSide& near) = nullptr;
  // Before anything is sent: reads a password, and turns it into what the far side wants. Errors: bad_syntax is
  // wrong usage.
  Outcome (*prepare)(nlohmann::json& arguments, const Settings& settings, NearSide& near) = nullptr;
  // Inside the server, or in this process under the data lock.
  Result<nlohmann::json> (*run)(Host& host, const nlohmann::json& arguments) = nullptr;
  // For people; --json prints the value itself. Of a command that streams: one piece, and the last result if there is
  // one.
  void (*print)(const nlohmann::json& result, std::ostream& out) = nullptr;
  // Instead of `run`: results piece by piece, progress, octets from the near side, and an end when it is interrupted
  // (server/admin/exchange.h). The last result may be null.
  Result<nlohmann::json> (*stream)(Host& host, const nlohmann::json& arguments, Exchange& exchange) = nullptr;
  // What `stream` meets in the process that was started; none: its pieces are printed.
  std::unique_ptr<NearEnd> (*near_end)(const Command& command, const nlohmann::json& arguments,
                                       NearSide& near) = nullptr;
  // Where others define the exit codes: the process's one. `error` is null for ok, usage and bad_config.
  int (*exit_status)(ExitCode code, const Error* error) = nullptr;
  // Of a row with `run`: after its result was printed, whether that means failure all the same.
  Outcome (*check)(const nlohmann::json& result) = nullptr;
  // The shape of what --json prints, and what else the help has to say: paragraphs, and lines of examples that begin
  // with "    ". Both go into the manual page and docs/admin-commands.md.
  std::string_view json = {};
  std::string_view details = {};
};

// The `print` of a row that has nothing to say to people.
void print_nothing(const nlohmann::json& result, std::ostream& out);

std::span<const Command> commands();
const Command* find_command(std::string_view noun, std::string_view verb);
std::string full_name(const Command& command);  // "user add", "version"
// The row that a request names. Errors: bad_syntax.
Result<const Command*> requested_command(const nlohmann::json& request);

// One request, {"command": "user add", "arguments": {...}}, to its answer: {"result": ...} or
// {"error": {"kind": ..., "text": ..., "detail": ...}}. Never throws.
nlohmann::json handle_request(Host& host, const nlohmann::json& request);
nlohmann::json to_answer(const Result<nlohmann::json>& result);
// The answer's other end.
Result<nlohmann::json> read_answer(const nlohmann::json& answer);

// The text or texts of an argument. Errors: bad_syntax when it is missing (texts: never) or of another kind.
Result<std::string> text_argument(const nlohmann::json& arguments, std::string_view name);
Result<std::vector<std::string>> texts_argument(const nlohmann::json& arguments, std::string_view name);
bool flag_argument(const nlohmann::json& arguments, std::string_view name);

}  // namespace postkeep::admin
