// The head of a command: tag and verb. RFC 9051 §2.2.1. server/imap/dispatch reads it, finds the verb's row
// and lets the row's parser (protocol/imap/commands) read the arguments with the same cursor.
//
//   const FramedCommand framed = framer.take_command();
//   Cursor cursor(framed);
//   auto head = parse_command_head(cursor);      // error: answer BAD, with tag_of(framed) if there is one
//   auto args = parse_fetch(cursor);             // begins at the space behind the verb, ends at the command's end
#pragma once

#include <optional>
#include <string>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

// Are the numbers of a command UIDs or message numbers?
enum class UidForm { no, yes };

struct CommandHead {
  std::string tag;
  std::string verb;           // in capitals, without "UID"
  UidForm uid = UidForm::no;  // "UID FETCH"
};

// Error: bad_syntax.
Result<CommandHead> parse_command_head(Cursor& cursor);

// The tag of a command, if it begins with one; for answering what could not be parsed.
std::optional<std::string> tag_of(const FramedCommand& command);

// For verbs without arguments: only the end may follow.
Outcome parse_nothing(Cursor& cursor);

}  // namespace postkeep::imap
