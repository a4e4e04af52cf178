// Session: one POP3 connection from greeting to the end. RFC 1939, RFC 2449 §6.6 (pipelining). Started by
// runtime/session_host, which owns and closes the connection; lives on one session thread.
//
// Invariants:
// - One command at a time, in order; nothing is understood before the command in front of it was answered.
// - Replies are flushed when nothing more of the client's is at hand, so that pipelined commands share packets.
// - Only QUIT deletes. A session that ends otherwise, by whatever, has deleted nothing.
// - An idle session holds no buffer: its maildrop, and no account open.
#pragma once

#include <string_view>

#include "server/runtime/services.h"

namespace postkeep::pop3 {

// Greets and serves until the connection is to be closed (on a POP3S port TLS is up already). Throws nothing but
// what a broken connection throws (ConnectionEnded).
server::Awaitable<void> run_session(server::SessionContext& host);

// For whoever comes when all places are taken.
inline constexpr std::string_view refusal = "-ERR [SYS/TEMP] Too many connections, try again later\r\n";

}  // namespace postkeep::pop3
