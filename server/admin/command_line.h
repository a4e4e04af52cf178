// The command line: `postkeep [--config FILE] [--json] NOUN [VERB] ARGUMENTS...`, parsed by CLI11 after the table of
// commands, run in this process or in the server. Called by main.
#pragma once

#include "server/admin/commands.h"

namespace postkeep::admin {

// Returns the exit code, see ExitCode. --config and --json may stand anywhere.
int run_command_line(int argc, const char* const* argv, NearSide near);

}  // namespace postkeep::admin
