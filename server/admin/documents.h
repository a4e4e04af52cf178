// Manual pages and docs/admin-commands.md, made from the tables of commands and of settings. Pure.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::admin {

// postkeep(1): all commands.
std::string program_manual();
// A page about one noun, or about one command if `verb` is not empty. Errors: not_found, with what may have been meant.
Result<std::string> command_manual(std::string_view noun, std::string_view verb);
// postkeep.toml(5): all settings.
std::string settings_manual();

// docs/admin-commands.md
std::string commands_markdown();

}  // namespace postkeep::admin
