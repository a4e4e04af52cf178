// serve and version: the server itself.
#include <array>
#include <ostream>

#include "server/admin/commands/rows.h"
#include "server/admin/near_side.h"
#include "server/version.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

ExitCode serve(const Json&, NearSide& near) {
  std::optional<Settings> settings = load_settings(near);
  if (!settings) return ExitCode::bad_config;
  const std::string file = near.config_file.empty() ? standard_config_file : near.config_file;
  return static_cast<ExitCode>(near.serve(std::move(*settings), file));
}

ExitCode print_version(const Json&, NearSide& near) {
  if (near.format == NearSide::Format::json) {
    near.out << Json{{"name", "postkeep"}, {"version", version}}.dump() << "\n";
  } else {
    near.out << "postkeep " << version << "\n";
  }
  return ExitCode::ok;
}

constexpr std::array server_commands = {
    Command{
        "serve", "", "Runs the server in the foreground until SIGTERM; SIGHUP reloads the configuration.", {}, serve},
    Command{"version", "", "Prints the version.", {}, print_version},
};

}  // namespace

std::span<const Command> server_rows() { return server_commands; }

}  // namespace postkeep::admin
