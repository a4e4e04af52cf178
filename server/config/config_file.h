// Reading the configuration file, and printing configurations. TOML 1.0 through toml++, which stays inside
// config_file.cpp. Used by main and by the reload. Blocking.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "server/config/settings.h"

namespace postkeep::config {

// One thing that is wrong: an unknown key, a value that does not fit, bad TOML.
struct Problem {
  unsigned line = 0;  // from 1; 0: about the file as a whole
  std::string text;   // "limits.connections: must be a whole number from 1 to ..."
};
using Problems = std::vector<Problem>;

// All problems are found at once. A hostname that is not set is the machine's own.
tl::expected<Settings, Problems> parse(std::string_view toml_text);
tl::expected<Settings, Problems> load(const std::string& path);

// "FILE:LINE: text", one a line.
std::string to_text(const Problems& problems, std::string_view file);

// The effective configuration as TOML that load() would accept and that gives the same settings.
std::string show(const Settings& settings);
// A configuration file with every key, explained: those that differ from their default are set, the others are there
// as comments. load() would accept it, and it gives the same settings.
std::string sample(const Settings& settings);
// docs/configuration.md.
std::string reference();

}  // namespace postkeep::config
