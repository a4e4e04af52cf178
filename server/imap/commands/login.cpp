// LOGIN. RFC 9051 §6.2.3. See login.h for what it shares with AUTHENTICATE.
#include "server/imap/commands/login.h"

#include <utility>
#include <vector>

#include "server/imap/commands/handlers.h"
#include "server/imap/extensions.h"

namespace postkeep::imap {

namespace {

std::vector<std::pair<MailboxName, SpecialUse>> default_mailboxes(const Settings& settings) {
  std::vector<std::pair<MailboxName, SpecialUse>> wanted;
  for (const SpecialUseMailbox& mailbox : settings.mailbox.special_use) {
    if (auto name = MailboxName::from_utf8(mailbox.name)) wanted.emplace_back(std::move(*name), mailbox.use);
  }
  return wanted;
}

Error refuse(Context& context, const std::string& mechanism, const std::string& login, Error error) {
  context.log.info("login_failed", {{"login", login},
                                    {"mechanism", mechanism},
                                    {"peer", context.connection.peer().address},
                                    {"kind", to_string(error.kind)},
                                    {"detail", error.detail}});
  const std::uint64_t allowed = context.settings().limits.login_attempts;
  if (++context.failed_logins >= allowed && allowed != 0) {
    context.next = Next::log_out;
    context.farewell = "Too many failed logins";
  }
  return error;
}

}  // namespace

Answer log_in(Context& context, auth::Credentials credentials, std::string mechanism) {
  const std::string login = credentials.login;
  auto identity = co_await context.services.auth.verify(std::move(credentials));
  if (!identity) {
    co_return tl::unexpected<Error>(refuse(context, mechanism, login, std::move(identity).error()));
  }
  if (Outcome place = context.host.log_in(identity->user); !place) {
    co_return tl::unexpected<Error>(refuse(context, mechanism, login, std::move(place).error()));
  }
  context.enter_authenticated(context.gateway().account(identity->user));
  context.log.info("login", {{"mechanism", mechanism}, {"tls", context.connection.is_tls()}});

  // A user whose mail cannot be prepared may log in all the same: reading may still work.
  const Outcome made =
      co_await context.gateway().ensure_default_mailboxes(context.account, default_mailboxes(context.settings()));
  if (!made) context.log.error("default_mailboxes", {{"error", made.error().text}, {"detail", made.error().detail}});
  co_return Completion(ResponseCode::capability(capability_list(context)), "Logged in");
}

Answer run_login(Context& context, LoginArgs arguments) {
  if (context.channel() == auth::Channel::exposed) {
    co_return failure(ErrorKind::privacy_required, "Use TLS before sending a password");
  }
  auth::Credentials credentials;
  credentials.login = std::move(arguments.user);
  credentials.password = std::move(arguments.password);
  co_return co_await log_in(context, std::move(credentials), "LOGIN command");
}

}  // namespace postkeep::imap
