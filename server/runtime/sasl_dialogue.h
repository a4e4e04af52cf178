// The SASL dialogue of IMAP's AUTHENTICATE (RFC 9051 §6.2.2) and POP3's AUTH (RFC 5034): challenges out, lines in,
// until auth/exchange has what it wants; then the login itself (runtime/login).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/runtime/awaits.h"
#include "server/runtime/login.h"
#include "server/runtime/services.h"

namespace postkeep::server {

// How a protocol carries an exchange. Owned by the command's frame; used on the session's thread.
class SaslWire {
 public:
  virtual ~SaslWire() = default;
  // Writes "+ <base64>" to the connection's output.
  virtual void send_challenge(std::string_view base64) = 0;
  // Sends what is to be sent and waits for the client's next line, without its end, at most
  // auth::sasl_line_octets_max long (longer ones are an error). Errors end the exchange and are answered. Throws
  // what ends the session.
  virtual Awaitable<Result<std::string>> read_line() = 0;
};

// `initial_response` is the base64 of the command, "=" for an empty one, none if there was none. Errors: those of
// Exchange::start (cannot, privacy_required), bad_syntax (cancelled, malformed; not counted as a failed login), those
// of read_line() and those of conclude_login().
Awaitable<Result<AccountPtr>> authenticate(SessionContext& context, std::string_view protocol, std::string mechanism,
                                           std::optional<std::string> initial_response, SaslWire& wire);

}  // namespace postkeep::server
