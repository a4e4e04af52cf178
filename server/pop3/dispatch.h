// Dispatch: ONE POP3 command, from its line to its reply. The only place that turns Completions and Errors into "+OK"
// and
// "-ERR" and kinds of errors into response codes (RFC 2449 §8, RFC 3206). Called by session.cpp.
#pragma once

#include <string_view>

#include "protocol/base/secret.h"
#include "server/pop3/context.h"

namespace postkeep::pop3 {

// How the session should look at the command that was just answered.
enum class Judged { fine, malformed };

// Finds the row, checks the state, runs it, writes the reply. The line may hold a password, and is wiped afterwards.
server::Awaitable<Judged> dispatch(Context& context, Secret line);

// Answers a line that the framer did not keep.
Judged dispatch_too_long(Context& context);

// The code that stands in brackets; empty for errors that have none.
std::string_view response_code(ErrorKind kind);

}  // namespace postkeep::pop3
