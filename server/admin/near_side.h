// What commands need in the process that was started: the configuration and new passwords. Blocking.
#pragma once

#include <optional>
#include <string>

#include "auth/password_hash.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "server/admin/commands.h"

namespace postkeep::admin {

inline constexpr const char* standard_config_file = "/etc/postkeep/postkeep.toml";

// The settings of --config; without it those of the standard file; without that the defaults. nullopt: the file is
// wrong, and near.err has been told how.
std::optional<Settings> load_settings(NearSide& near);

// One line of near.in without its end. Errors: bad_syntax (no line, or a longer one than any password).
Result<Secret> read_password_line(NearSide& near);

// Asks twice on a terminal, without echo. Errors: bad_syntax (the two differ, or it was interrupted). The terminal
// is as before when it returns.
Result<Secret> ask_for_password(int terminal, std::string_view user);

// The same once, for a password that is only checked.
Result<Secret> ask_for_password_once(int terminal);

// For a row's `here`: tells what went wrong, and the exit code of that.
ExitCode tell(const Error& error, NearSide& near);

// What hashes of new passwords cost.
auth::HashCost hash_cost(const Settings& settings);

}  // namespace postkeep::admin
