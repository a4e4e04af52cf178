// APPEND and MULTIAPPEND, REPLACE and UID REPLACE. RFC 9051 §6.3.12, RFC 3502, RFC 8508, RFC 9755 §4 (UTF8 literals).
//
// Messages do not fit in memory, so the command is parsed in pieces while it arrives. At each
// Framer::Event::literal_due:
//
//   first piece:   auto head = parse_append_head(cursor over framer.partial())
//                    error    -> framer.refuse_literal(error)
//                    nullopt  -> that literal is the mailbox name: framer.buffer_literal()
//                    value    -> check the mailbox and the size, then framer.stream_literal() or refuse_literal()
//   next pieces:   auto next = parse_append_next(cursor over framer.partial(), previous message)
//                    value    -> one more message; nullopt -> refuse, nothing stands between the literals
//   at `command`:  parse_append_end(cursor over framer.take_command(), previous message)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

// Is the message announced as "UTF8 (~{n}" (RFC 9755 §4)? Then ")" follows its literal.
enum class Utf8Literal { no, yes };

// What stands before one message's literal.
struct AppendMessage {
  Flags flags;
  std::optional<UnixTime> internal_date;
  Utf8Literal utf8 = Utf8Literal::no;
};

struct AppendHead {
  std::optional<SequenceSet> replaced;  // REPLACE: one number or "*"; none: APPEND
  std::string mailbox;                  // wire form
  AppendMessage first;
};

// Is this framed text the beginning of an APPEND or REPLACE command? Decides whether a due literal is looked at here.
bool is_append(const FramedCommand& partial);

// `cursor` at the beginning of the command (tag and verb are read again).
Result<std::optional<AppendHead>> parse_append_head(Cursor& cursor);

// `cursor` at the beginning of the text behind a streamed literal. nullopt if there is no text at all.
Result<std::optional<AppendMessage>> parse_append_next(Cursor& cursor, const AppendMessage& previous);

// The text behind the last literal: nothing may follow but spaces.
Outcome parse_append_end(Cursor& cursor, const AppendMessage& previous);

}  // namespace postkeep::imap
