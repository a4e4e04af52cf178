#include "server/runtime/login.h"

#include <cstdint>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/net/channel_bindings.h"
#include "server/net/client_certificates.h"

namespace postkeep::server {
namespace {

std::vector<std::pair<MailboxName, SpecialUse>> default_mailboxes(const Settings& settings) {
  std::vector<std::pair<MailboxName, SpecialUse>> wanted;
  for (const SpecialUseMailbox& mailbox : settings.mailbox.special_use) {
    if (auto name = MailboxName::from_utf8(mailbox.name)) wanted.emplace_back(std::move(*name), mailbox.use);
  }
  return wanted;
}

// The audit line of a login as somebody else.
void note_acting(SessionContext& context, const LoginWay& way, const auth::Identity& identity) {
  context.logger.info("acting", {{"by", identity.acted_by},
                                 {"as", identity.user},
                                 {"protocol", way.protocol},
                                 {"mechanism", way.mechanism},
                                 {"peer", context.connection.peer().address}});
}

Error refuse(SessionContext& context, const LoginWay& way, const std::string& login, Error error) {
  // fail2ban reads this line (packaging/fail2ban): its fields stay in this order, the one that a stranger fills last.
  context.logger.info("login_failed", {{"peer", context.connection.peer().address},
                                       {"protocol", way.protocol},
                                       {"mechanism", way.mechanism},
                                       {"kind", to_string(error.kind)},
                                       {"detail", error.detail},
                                       {"login", login}});
  const bool wrong = error.kind == ErrorKind::authentication_failed || error.kind == ErrorKind::authorization_failed;
  metrics().logins.at(way.protocol, way.mechanism, wrong ? "failed" : "error").add();
  ++context.failed_logins;
  return error;
}

}  // namespace

auth::Origin origin_of(const SessionContext& context) {
  const auto address = IpAddress::parse(context.connection.peer().address);
  return address ? auth::Origin(*address) : auth::Origin();
}

auth::Channel channel_of(const SessionContext& context) {
  const AllowPlaintext allowed = context.settings->auth.allow_plaintext;
  if (context.connection.is_tls() || allowed == AllowPlaintext::always) return auth::Channel::confidential;
  const bool passes = allowed == AllowPlaintext::loopback && context.connection.is_loopback();
  return passes ? auth::Channel::confidential : auth::Channel::exposed;
}

auth::Circumstances common_circumstances(const SessionContext& context) {
  auth::Circumstances circumstances;
  circumstances.keys = context.services.auth.can_supply_keys();
  circumstances.sha_1_keys = context.services.auth.can_supply_sha_1_keys();
  circumstances.allowed = auth::mechanism_set(context.settings->auth.mechanisms);
  circumstances.hostname = context.settings->hostname;
  return circumstances;
}

auth::Circumstances circumstances_of(const SessionContext& context) {
  auth::Circumstances circumstances = common_circumstances(context);
  circumstances.channel = channel_of(context);
  circumstances.anonymous = !context.settings->auth.anonymous_user.empty();
  ssl_st* const tls = context.connection.transport().native_tls();
  circumstances.bindings = channel_bindings(tls);
  circumstances.certificate = client_certificate(tls);
  return circumstances;
}

std::vector<std::string_view> offered_mechanisms(const SessionContext& context) {
  return auth::offered_mechanisms(circumstances_of(context));
}

bool too_many_failed_logins(const SessionContext& context) {
  const std::uint64_t allowed = context.settings->limits.login_attempts;
  return allowed != 0 && context.failed_logins >= allowed;
}

Awaitable<Result<AccountPtr>> log_in(SessionContext& context, LoginWay way, auth::Credentials credentials) {
  std::string login = credentials.login;
  auto identity = co_await context.services.auth.verify(std::move(credentials), origin_of(context));
  co_return co_await conclude_login(context, way, std::move(login), std::move(identity));
}

Awaitable<Result<AccountPtr>> conclude_login(SessionContext& context, LoginWay way, std::string login,
                                             Result<auth::Identity> identity) {
  if (!identity) co_return tl::unexpected<Error>(refuse(context, way, login, std::move(identity).error()));
  if (Outcome place = context.log_in(identity->user); !place) {
    co_return tl::unexpected<Error>(refuse(context, way, login, std::move(place).error()));
  }
  AccountPtr account = context.services.gateway.account(identity->user);
  metrics().logins.at(way.protocol, way.mechanism, "ok").add();
  // A login of somebody else tells nothing of when the user was here last.
  const bool is_own = identity->acted_by.empty();
  if (is_own && context.services.logins != nullptr) context.services.logins->note(identity->user, way.protocol);
  context.logger.info("login",
                      {{"protocol", way.protocol}, {"mechanism", way.mechanism}, {"tls", context.connection.is_tls()}});
  if (!is_own) note_acting(context, way, *identity);
  if (identity->keys_added) context.logger.info("scram_keys_added");
  if (!identity->keys_problem.empty()) {
    context.logger.warn("scram_keys_not_added", {{"reason", identity->keys_problem}});
  }

  // A user whose mail cannot be prepared may log in all the same: reading may still work.
  const Outcome made =
      co_await context.services.gateway.ensure_default_mailboxes(account, default_mailboxes(*context.settings));
  if (!made) context.logger.error("default_mailboxes", {{"error", made.error().text}, {"detail", made.error().detail}});
  co_return account;
}

}  // namespace postkeep::server
