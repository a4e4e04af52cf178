// The rows of the command table by noun; server/admin/commands.cpp puts them together. Each lies in the file of its
// noun beside this one.
#pragma once

#include <span>

#include "server/admin/commands.h"

namespace postkeep::admin {

std::span<const Command> server_rows();    // serve, version
std::span<const Command> config_rows();    // config check|show
std::span<const Command> user_rows();      // user add|passwd|delete|...
std::span<const Command> pw_rows();        // pw hash|check|schemes
std::span<const Command> mailbox_rows();   // mailbox list|create|...
std::span<const Command> mail_rows();      // mail search|fetch|...
std::span<const Command> live_rows();      // who, kick, reload, log level, status
std::span<const Command> ban_rows();       // ban list|lift
std::span<const Command> transfer_rows();  // import, export
std::span<const Command> deliver_rows();   // deliver
std::span<const Command> doctor_rows();    // doctor
std::span<const Command> quota_rows();     // quota show|set
std::span<const Command> document_rows();  // man, completion, complete

}  // namespace postkeep::admin
