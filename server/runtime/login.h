// Logging in, alike for every protocol: credentials (or a finished SASL exchange, runtime/sasl_dialogue) become an
// account. Verifies on the authentication pool, takes the user's place, counts failures, logs, and makes the
// default mailboxes. What the client is told, and how, is the protocol's affair.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/authenticator.h"
#include "auth/mechanisms.h"
#include "server/runtime/awaits.h"
#include "server/runtime/services.h"

namespace postkeep::server {

// By which door somebody comes in; for the log.
struct LoginWay {
  std::string_view protocol;   // "imap", "pop3": a constant of the caller's
  std::string_view mechanism;  // of a row of auth/mechanisms, or another constant: "LOGIN command"

  LoginWay(std::string_view own_protocol, std::string_view own_mechanism)
      : protocol(own_protocol), mechanism(own_mechanism) {}
};

// Whose guess a login may be.
auth::Origin origin_of(const SessionContext& context);
// Whether passwords may travel on the connection as it is now: TLS, or what auth.allow_plaintext lets pass.
auth::Channel channel_of(const SessionContext& context);
// What of it does not depend on the connection: for those whose clients are connected to somebody else (an MTA).
auth::Circumstances common_circumstances(const SessionContext& context);
// By what a mechanism may be used there or not.
auth::Circumstances circumstances_of(const SessionContext& context);
// The SASL mechanisms to advertise there, in order.
std::vector<std::string_view> offered_mechanisms(const SessionContext& context);

// Checks name and password; then as conclude_login().
Awaitable<Result<AccountPtr>> log_in(SessionContext& context, LoginWay way, auth::Credentials credentials);

// The end of every login: `identity` is who was authenticated, or why nobody was; `login` the name that was given. On
// success the session is the user's (SessionContext::user); a login as somebody else is logged as such. A failure
// counts: when too_many_failed_logins(), the protocol gives its answer and ends the session. Errors:
// authentication_failed, authorization_failed; limit (too many connections of the user); unavailable.
Awaitable<Result<AccountPtr>> conclude_login(SessionContext& context, LoginWay way, std::string login,
                                             Result<auth::Identity> identity);
bool too_many_failed_logins(const SessionContext& context);

}  // namespace postkeep::server
