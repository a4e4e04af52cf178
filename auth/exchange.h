// Exchange: drives one SASL mechanism from AUTHENTICATE (or POP3's AUTH) to credentials. RFC 4422, RFC 9051
// §6.2.2, RFC 5034: base64, the initial response, "*" to cancel, policy. Does no I/O and checks no password:
// when it has credentials, the server hands them to Authenticator::verify on its authentication pool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/mechanisms.h"
#include "protocol/base/result.h"

namespace postkeep::auth {

// One exchange, on one thread. The caller's loop:
//   auto exchange = TRY(Exchange::start(name, channel));
//   auto progress = exchange.begin(initial_response);
//   while (progress.state == Progress::State::challenge) { send progress.challenge; progress = exchange.respond(line);
//   } if (progress.state == Progress::State::failed) answer progress.error; else verify progress.credentials.
class Exchange {
 public:
  struct Progress {
    enum class State { challenge, credentials, failed };
    State state = State::failed;
    std::string challenge;    // base64, to stand after "+ "
    Credentials credentials;  // to be verified
    Error error;              // bad_syntax: invalid base64, cancelled, not what the mechanism prescribes

    Progress() = default;  // a constructor, so that temporaries may cross a co_await
  };

  // Errors: cannot (unknown mechanism), privacy_required (needs TLS here).
  static Result<Exchange> start(std::string_view mechanism, Channel channel);

  // `initial_response` is the base64 that came with the command; "=" stands for an empty one (RFC 9051 §6.2.2).
  Progress begin(std::optional<std::string_view> initial_response);
  // A line of the client, without its end. "*" cancels.
  Progress respond(std::string_view line);

  std::string_view mechanism() const { return row_->name; }

 private:
  explicit Exchange(const MechanismRow& row) : row_(&row), mechanism_(row.make()) {}
  Progress step(std::string_view base64);

  const MechanismRow* row_;
  std::unique_ptr<Mechanism> mechanism_;
};

}  // namespace postkeep::auth
