// Mechanism: one SASL mechanism as a state machine over decoded messages. RFC 4422 §5. Implemented by
// auth/<name>.cpp, driven by auth/exchange, found through auth/mechanisms. Knows no base64, no protocol,
// no socket and no user: it says what it wants checked.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "auth/authenticator.h"
#include "protocol/base/error.h"

namespace postkeep::auth {

// What a mechanism wants after a message of the client. The exchange is over after any but a Challenge.
struct Challenge {
  std::string bytes;  // to be sent; empty is legal
};
struct Refusal {
  Error error;  // bad_syntax: the message is not what the mechanism prescribes
};
using Step = std::variant<Challenge, Credentials, Refusal>;

// One exchange; not thread-safe, used once.
class Mechanism {
 public:
  virtual ~Mechanism() = default;
  // The client's next message, decoded. A mechanism whose server speaks first gets its first one after the
  // challenge of first_challenge().
  virtual Step step(std::string_view message) = 0;
};

}  // namespace postkeep::auth
