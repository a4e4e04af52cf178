// What the runner itself says to a POP3 server: STLS, login, CAPA; and how an answer is read. RFC 1939 §3, RFC 2449 §5.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/connection.h"
#include "conformance/runner/pop3_judge.h"
#include "conformance/runner/session.h"

namespace postkeep::conformance {

// Whether the answer to a command goes on behind its "+OK" line.
bool has_several_lines(std::string_view command);
// The answer to `command`, or as much as came in time. A challenge of AUTH ends it too.
Pop3Reply read_pop3_reply(Connection& connection, std::string_view command);

struct Pop3Opened {
  std::unique_ptr<Connection> connection;
  std::string greeting;
};
// Behind the greeting, and behind STLS where the endpoint asks for it. Errors: unavailable.
Result<Pop3Opened> open_pop3(const Target& target, std::string name, std::vector<std::string>& log);
// By USER and PASS. Errors: unavailable, cannot (refused).
Outcome log_in_pop3(const Target& target, int user, Connection& connection);
// What CAPA has before and after login, in capitals: "SASL" and "SASL=PLAIN", "EXPIRE" and "EXPIRE=NEVER".
Result<std::set<std::string>> pop3_capabilities(const Target& target, std::vector<std::string>& log);

}  // namespace postkeep::conformance
