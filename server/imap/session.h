// Session: one IMAP connection from greeting to BYE. RFC 9051 §3, §5, §7.1.5. Started by
// runtime/session_host, which owns and closes the connection; lives on one session thread.
//
// Invariants:
// - One command at a time, in order; nothing is parsed before the command in front of it was answered.
// - Replies are flushed when nothing more of the client's is at hand, so that pipelined commands share packets.
// - Reads are never cancelled; whatever ends the session ends it for good, and is logged once, here.
// - An idle session holds no read, write or framer buffer.
#pragma once

#include <string_view>

#include "server/runtime/services.h"

namespace postkeep::imap {

// Greets and serves until the connection is to be closed (on an IMAPS port TLS is up already). Throws nothing but
// what a broken connection throws (ConnectionEnded).
server::Awaitable<void> run_session(server::SessionContext& host);

// For whoever comes when all places are taken.
inline constexpr std::string_view refusal = "* BYE Too many connections, try again later\r\n";

}  // namespace postkeep::imap
