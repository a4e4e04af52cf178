// THE tables of POP3: which commands there are and in which states, and what CAPA says. A fact about a command stands
// in its row and nowhere else. Read by dispatch, CAPA and the tests that keep the tables honest.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/pop3/context.h"

namespace postkeep::pop3 {

// Reads the arguments, which it may use before its first suspension only, and runs the command.
using Handler = Answer (*)(Context& context, std::string_view arguments);

// How a command stands to those that the client has sent behind it. Commands run one after another in any case.
enum class Pipelining {
  in_turn,  // the next one is read when this one is finished
  barrier,  // what was sent behind it before its reply must not be understood: STLS
};

struct CommandRow {
  std::string_view name;  // in capitals
  std::string_view rfc;   // where it is defined
  States states;          // in which it is legal
  Handler run;
  Pipelining pipelining;
  std::string_view capability;  // what CAPA lists it by; empty: every POP3 server has it
};
std::span<const CommandRow> commands();
// nullptr if there is none. `name` in capitals.
const CommandRow* find_command(std::string_view name);

// RFC 2449 §6. What is told before login is told after it too, unless `offered` says otherwise.
struct CapabilityRow {
  std::string_view tag;
  std::string_view rfc;
  bool (*offered)(const Context& context);            // null: always
  std::string (*parameters)(const Context& context);  // null: none
};
std::span<const CapabilityRow> capabilities();

// The lines of CAPA.
std::vector<std::string> capability_list(const Context& context);

}  // namespace postkeep::pop3
