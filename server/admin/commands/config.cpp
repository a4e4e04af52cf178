// config check|show|sample|reference: the configuration file, without touching any data.
#include <array>
#include <ostream>

#include "server/admin/commands/rows.h"
#include "server/admin/near_side.h"
#include "server/config/config_file.h"
#include "server/config/settings_table.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

ExitCode check_config(const Json&, NearSide& near) { return load_settings(near) ? ExitCode::ok : ExitCode::bad_config; }

// {"limits": {"connections": 20000, ...}, ...}, the top of the file without a section.
Json to_json(const Settings& settings) {
  Json all = Json::object();
  for (const config::Setting& setting : config::settings_table()) {
    Json& section = setting.section.empty() ? all : all[std::string(setting.section)];
    std::visit([&](const auto& value) { section[std::string(setting.key)] = value; }, setting.get(settings));
  }
  return all;
}

ExitCode show(const Json&, NearSide& near) {
  const std::optional<Settings> settings = load_settings(near);
  if (!settings) return ExitCode::bad_config;
  if (near.format == NearSide::Format::json) {
    near.out << to_json(*settings).dump(2) << "\n";
  } else {
    near.out << config::show(*settings);
  }
  return ExitCode::ok;
}

ExitCode sample(const Json&, NearSide& near) {
  const std::optional<Settings> settings = load_settings(near);
  if (!settings) return ExitCode::bad_config;
  near.out << config::sample(*settings);
  return ExitCode::ok;
}

ExitCode reference(const Json&, NearSide& near) {
  near.out << config::reference();
  return ExitCode::ok;
}

constexpr std::array config_commands = {
    Command{"config",
            "check",
            "Reads the configuration file and tells everything that is wrong with it.",
            {},
            check_config},
    Command{"config", "show", "Prints the configuration that is in effect, defaults included.", {}, show},
    Command{"config",
            "sample",
            "Prints a configuration file that explains every key and sets what yours sets.",
            {},
            sample},
    Command{"config", "reference", "Prints what every key means (docs/configuration.md).", {}, reference},
};

}  // namespace

std::span<const Command> config_rows() { return config_commands; }

}  // namespace postkeep::admin
