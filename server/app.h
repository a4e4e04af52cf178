// The server: builds everything in order, owns it, runs until a signal, and takes it down in reverse.
// Called by main for `postkeep serve`.
#pragma once

#include <string>

#include "server/config/settings.h"

namespace postkeep::server {

// Serves until SIGTERM or SIGINT. `config_file` is read again on SIGHUP. Prints one line on standard output when
// all listeners are ready, and on standard error why it cannot start. Returns the exit status: 0, also after a
// signal; 5 (admin::ExitCode::unavailable) if it cannot start.
int run_server(Settings settings, const std::string& config_file);

}  // namespace postkeep::server
