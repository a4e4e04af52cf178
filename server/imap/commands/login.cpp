// LOGIN. RFC 9051 §6.2.3. See login.h for what it shares with AUTHENTICATE.
#include "server/imap/commands/login.h"

#include <utility>

#include "server/imap/commands/handlers.h"
#include "server/imap/extensions.h"
#include "server/runtime/login.h"

namespace postkeep::imap {

Result<Completion> finish_login(Context& context, Result<server::AccountPtr> account) {
  if (!account) {
    if (server::too_many_failed_logins(context.host)) {
      context.next = Next::log_out;
      context.farewell = "Too many failed logins";
    }
    return tl::unexpected<Error>(std::move(account).error());
  }
  context.enter_authenticated(std::move(*account));
  return Completion(ResponseCode::capability(capability_list(context)), "Logged in");
}

Answer run_login(Context& context, LoginArgs arguments) {
  if (context.channel() == auth::Channel::exposed) {
    co_return failure(ErrorKind::privacy_required, "Use TLS before sending a password");
  }
  auth::Credentials credentials;
  credentials.login = std::move(arguments.user);
  credentials.password = std::move(arguments.password);
  const server::LoginWay way(protocol_name, "LOGIN command");
  auto account = co_await server::log_in(context.host, way, std::move(credentials));
  co_return finish_login(context, std::move(account));
}

}  // namespace postkeep::imap
