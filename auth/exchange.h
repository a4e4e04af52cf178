// Exchange: drives one SASL mechanism from AUTHENTICATE (or AUTH of POP3, LMTP and the MTA's socket) to an identity.
// RFC 4422, RFC 9051 §6.2.2, RFC 5034: base64, the initial response, "*" to cancel, policy. Does no I/O and checks no
// password: what blocks, it asks the server to do on its authentication pool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/mechanisms.h"
#include "protocol/base/result.h"

namespace postkeep::auth {

// One exchange, on one thread. The caller goes on until there are credentials, an identity or a failure:
//   begin(initial_response), then by the progress's state
//     challenge    send it, read a line: respond(line)
//     look_up      Authenticator::look_up_keys(progress.wanted): supply(answer), or answer its error
//     credentials  Authenticator::verify(progress.credentials)
//     proven       progress.identity is logged in
//     failed       answer progress.error; a protocol with another turn to give sends progress.farewell before, if it is
//                  not empty, and reads a line, whatever it is. The failure is counted first: a client may not come
//                  back
class Exchange {
 public:
  struct Progress {
    enum class State { challenge, look_up, credentials, proven, failed };
    State state = State::failed;
    std::string challenge;    // base64, to stand after "+ "
    KeyRequest wanted;        // whose keys the mechanism needs
    Credentials credentials;  // to be verified
    Identity identity;
    // bad_syntax: invalid base64, cancelled, not what the mechanism prescribes. Kinds of a login that failed:
    // authentication_failed, authorization_failed.
    Error error;
    std::string farewell;  // base64: what the mechanism has to say of its failure (RFC 5802 §5.1 "e="); may be left out

    Progress() = default;  // a constructor, so that temporaries may cross a co_await
  };

  // Errors: cannot (unknown mechanism, or one that is not offered under these circumstances), privacy_required (needs
  // TLS here).
  static Result<Exchange> start(std::string_view mechanism, const Circumstances& circumstances);

  // `initial_response` is the base64 that came with the command; "=" stands for an empty one (RFC 9051 §6.2.2).
  Progress begin(std::optional<std::string_view> initial_response);
  // A line of the client, without its end. "*" cancels.
  Progress respond(std::string_view line);
  // What look_up asked for.
  Progress supply(KeyAnswer answer);

  std::string_view mechanism() const { return row_->name; }
  // The name that the client gave; empty as long as it gave none.
  const std::string& login() const { return login_; }

 private:
  Exchange(const MechanismRow& row, const Circumstances& circumstances)
      : row_(&row), mechanism_(row.make(circumstances)) {}
  Progress step(std::string_view base64);
  Progress progress(Step next);

  const MechanismRow* row_;
  std::unique_ptr<Mechanism> mechanism_;
  std::string login_;
};

}  // namespace postkeep::auth
