// Mechanism: one SASL mechanism as a state machine over decoded messages. RFC 4422 §5. Implemented by
// auth/<name>.cpp, driven by auth/exchange, found through auth/mechanisms. Knows no base64, no protocol,
// no socket and no user: it says what it wants checked or looked up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "auth/authenticator.h"
#include "protocol/base/error.h"

namespace postkeep::auth {

// What a mechanism wants after a message of the client. The exchange goes on after a Challenge (with the client's
// answer) and after a KeyRequest (with Mechanism::supply), and is over after anything else.
struct Challenge {
  std::string bytes;  // to be sent; empty is legal
};
struct Proven {
  Identity identity;  // nothing is left to be checked
};
struct Refusal {
  // bad_syntax: not what the mechanism prescribes; authentication_failed and authorization_failed: a login.
  Error error;
  std::string farewell = {};  // what the mechanism has the server say before the failure; empty: nothing
};
using Step = std::variant<Challenge, KeyRequest, Credentials, Proven, Refusal>;

// One exchange; not thread-safe, used once.
class Mechanism {
 public:
  virtual ~Mechanism() = default;
  // What the server says where the client sent no initial response, if that is not a constant: that stands in its row.
  virtual std::optional<std::string> first_challenge() { return std::nullopt; }
  // The client's next message, decoded. A mechanism whose server speaks first gets its first one after the
  // challenge of first_challenge().
  virtual Step step(std::string_view message) = 0;
  // The answer to its KeyRequest. Called after a KeyRequest only, so most need not have it.
  virtual Step supply(KeyAnswer) { return Refusal{Error(ErrorKind::server_bug, "This mechanism asks for no keys")}; }
};

}  // namespace postkeep::auth
