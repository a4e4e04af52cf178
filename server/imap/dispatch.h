// Dispatch: ONE command, from its framed bytes to its tagged reply. The only place that writes tagged replies and
// that turns Errors into NO, BAD and response codes. RFC 9051 §2.2, §7.1; RFC 5530. Called by session.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/imap/context.h"

namespace postkeep::imap {

// How the session should look at the command that was just answered.
enum class Judged { fine, malformed };

// A whole command: finds its row, checks the state, runs it, reports changes, writes the tagged reply.
server::Awaitable<Judged> dispatch(Context& context, FramedCommand command);

// Why a command whose first literal is due will not run: then its literal is refused, and need not come at all.
std::optional<Error> objection_to_literal(const Context& context);

// The framer stands before a literal of an APPEND command, which is to be streamed into storage rather than kept.
// Runs it to its end.
server::Awaitable<Judged> dispatch_append(Context& context);
// Ends an APPEND that others have joined: changes, then its tagged reply. For stream_append().
server::Awaitable<void> finish_append(Context& context, std::string tag, Result<Completion> result,
                                      std::chrono::steady_clock::time_point began);

// Answers a command that the framer refused.
server::Awaitable<Judged> dispatch_refusal(Context& context, Refusal refusal);

}  // namespace postkeep::imap
