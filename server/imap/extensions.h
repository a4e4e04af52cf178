// THE tables of IMAP: which commands there are and what each may do, and which capabilities are advertised when.
// A fact about a command or an extension stands in its row and nowhere else (docs/add-imap-extension.md).
// Read by dispatch, CAPABILITY, ENABLE and the tests that keep the tables honest.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/cursor.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// Reads the arguments with the cursor, which stands behind the verb, and runs the command. The cursor is used
// before the first suspension only.
using Handler = Answer (*)(Context& context, Cursor& cursor);

// How a command stands to those that the client has sent behind it. Commands run one after another in any case.
enum class Pipelining {
  in_turn,  // the next one is parsed when this one is finished
  barrier,  // what was sent behind it before its reply must not be understood: STARTTLS
};

struct CommandRow {
  std::string_view name;  // in capitals
  UidForm uid;            // "UID FETCH" is a row of its own
  std::string_view rfc;   // where it is defined
  States states;          // in which it is legal
  Handler run;
  ExpungeRule expunge;  // may EXPUNGE be reported before its tagged reply?
  Pipelining pipelining;
  std::string_view capability;  // the extension it belongs to; empty: IMAP4rev1 and IMAP4rev2 themselves
};
std::span<const CommandRow> commands();
// nullptr if there is none. `name` in capitals.
const CommandRow* find_command(std::string_view name, UidForm uid);

struct CapabilityRow {
  std::string_view token;  // as advertised; with a value: the part up to "="
  std::string_view rfc;
  bool (*offered)(const Context& context);       // null: always
  std::string (*value)(const Context& context);  // what follows the token; null: nothing
  bool (*enable)(Context& context);              // ENABLE: turns it on, false if it was on; null: not for ENABLE
};
std::span<const CapabilityRow> capabilities();
// Without regard to case.
bool is_token(const CapabilityRow& row, std::string_view word);

// Is it switched off for this session ([imap] hidden_capabilities)? Its commands are then unknown and ENABLE ignores
// it.
bool is_hidden(const Context& context, std::string_view token);

// IMAP4rev1, IMAP4rev2 and so on: what this session may use now.
std::vector<std::string> capability_list(const Context& context);

}  // namespace postkeep::imap
