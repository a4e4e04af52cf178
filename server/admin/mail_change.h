// The commands that change the messages matching a query: mail flags|copy|move|expunge. On the far side. Their rows are
// in commands/mail.cpp.
#pragma once

#include <nlohmann/json.hpp>

#include "protocol/base/result.h"
#include "server/admin/commands.h"
#include "server/admin/exchange.h"

namespace postkeep::admin {

// Each goes on batch by batch, every one durable and complete in itself, and tells how far it is; when it is
// interrupted, what was done stays. The result: {"done": "moved", "messages", "dry_run", "mailboxes": [...]} and, as
// the command has them, "octets", "changed", "target".
Result<nlohmann::json> stream_flags(Host& host, const nlohmann::json& arguments, Exchange& exchange);
Result<nlohmann::json> stream_copy(Host& host, const nlohmann::json& arguments, Exchange& exchange);
Result<nlohmann::json> stream_move(Host& host, const nlohmann::json& arguments, Exchange& exchange);
Result<nlohmann::json> stream_expunge(Host& host, const nlohmann::json& arguments, Exchange& exchange);

// {"seen", "$Junk \Flagged"} to flags: names of system flags may lack their backslash, which shells eat. Errors:
// bad_syntax.
Result<Flags> flags_from_words(const std::vector<std::string>& words);

}  // namespace postkeep::admin
