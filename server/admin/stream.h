// Both sides of a streaming command: the far one, which runs the row, and the near one, which feeds it and takes what
// comes back. The two are in one process when no server runs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "server/admin/channel.h"
#include "server/admin/commands.h"
#include "server/admin/near_end.h"
#include "server/identity.h"

namespace postkeep::admin {

// Runs `command.stream` and sends its answer, as handle_request makes it, which is returned as well. Never throws.
nlohmann::json run_far_side(Host& host, const Command& command, const nlohmann::json& arguments, Channel& channel);

// Feeds the far side, shows its progress, gives its pieces to the command's near end, until its answer. While it runs
// SIGINT interrupts the command instead of the process; a second one ends the process. Blocking; one at a time.
// Errors: the command's; unavailable when the connection breaks; those of the near end.
Outcome run_near_side(const Command& command, const nlohmann::json& arguments, Channel& channel, NearSide& near);

// Both sides in this process, the far one on a thread of its own, where it touches files as `owner`.
Outcome run_both_sides(Host& host, const Command& command, const nlohmann::json& arguments, NearSide& near,
                       const std::optional<server::Identity>& owner = std::nullopt);

}  // namespace postkeep::admin
