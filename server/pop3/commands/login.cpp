// USER, PASS, APOP, AUTH. RFC 1939 §7, RFC 5034. What they have in common with other protocols is in runtime/login and
// runtime/sasl_dialogue; what follows here is the maildrop.
#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/pop3/reply.h"
#include "protocol/text/prep.h"
#include "server/pop3/commands/handlers.h"
#include "server/runtime/login.h"
#include "server/runtime/sasl_dialogue.h"

namespace postkeep::pop3 {

namespace {

// RFC 2449 §6.5. Asked once it is known who it is, so that nobody learns from it who is here.
bool comes_in_time(Context& context, const std::string& user) {
  const std::chrono::seconds delay = context.settings().pop3.login_delay;
  return delay.count() == 0 || context.services.login_intervals == nullptr ||
         context.services.login_intervals->admit(user, delay);
}

// After the credentials were judged. A failed login may be tried again, within limits; a maildrop that cannot be opened
// ends the session (RFC 1939 §4 allows it), so that nobody is logged in by half.
Answer enter(Context& context, Result<server::AccountPtr> account) {
  if (!account) {
    if (server::too_many_failed_logins(context.host)) context.next = Next::log_out;
    co_return tl::unexpected<Error>(std::move(account).error());
  }
  const std::string user = (*account)->user();
  if (!comes_in_time(context, user)) {
    context.log.info("login_too_soon");
    context.host.log_out();
    ++context.host.failed_logins;
    if (server::too_many_failed_logins(context.host)) context.next = Next::log_out;
    co_return Completion::refused("LOGIN-DELAY", "You logged in a moment ago, wait before you do it again");
  }
  const Outcome entered = co_await context.enter_transaction(std::move(*account));
  if (!entered) {
    if (context.services.login_intervals != nullptr) context.services.login_intervals->forget(user);
    context.next = Next::log_out;
    co_return tl::unexpected<Error>(entered.error());
  }
  co_return Completion("Logged in");
}

class Wire final : public server::SaslWire {
 public:
  explicit Wire(Context& context) : context_(context) {}

  void send_challenge(std::string_view base64) override { write_challenge(context_.out(), base64); }

  server::Awaitable<Result<std::string>> read_line() override {
    std::string_view line;
    auto event = context_.framer.next(line);
    while (event == line::LineFramer::Event::incomplete) {
      co_await context_.read_more();
      event = context_.framer.next(line);
    }
    if (event == line::LineFramer::Event::too_long) co_return failure(ErrorKind::bad_syntax, "Line too long");
    co_return std::string(line);
  }

 private:
  Context& context_;
};

// What AUTH alone asks for, before there was CAPA; mail programs still do.
Completion list_mechanisms(Context& context) {
  write_ok(context.out(), "Mechanisms follow");
  for (const std::string_view name : server::offered_mechanisms(context.host)) (context.out() += name) += "\r\n";
  write_end(context.out());
  return Completion::sent();
}

// RFC 6856 §2.2; what ASCII does not need: nothing that may stand in a name is changed there.
Result<std::string> prepared_name(std::string name) {
  if (std::none_of(name.begin(), name.end(), ascii::is_eight_bit)) return name;
  auto prepared = text::sasl_prep(name);
  if (!prepared) return failure(ErrorKind::cannot, "This can be nobody's name");
  return std::move(*prepared);
}

}  // namespace

// Every name is as good as another, so that nobody learns who is here.
Answer run_user(Context& context, UserArgs arguments) {
  if (server::channel_of(context.host) == auth::Channel::exposed) {
    co_return failure(ErrorKind::privacy_required, "Use TLS before sending a password");
  }
  auto name = prepared_name(std::move(arguments.name));
  context.login = CO_TRY(std::move(name));
  co_return Completion("Send PASS");
}

Answer run_pass(Context& context, PassArgs arguments) {
  if (!context.login) co_return failure(ErrorKind::bad_syntax, "Send USER first");
  auth::Credentials credentials;
  credentials.login = std::move(*context.login);
  credentials.password = std::move(arguments.password);
  context.login.reset();
  const server::LoginWay way("pop3", "PASS command");
  auto account = co_await server::log_in(context.host, way, std::move(credentials));
  co_return co_await enter(context, std::move(account));
}

// RFC 1939 §7.
Answer run_apop(Context& context, ApopArgs arguments) {
  if (context.apop_stamp.empty()) co_return failure(ErrorKind::bad_syntax, "Unknown command");
  auto name = prepared_name(std::move(arguments.name));
  auth::Credentials credentials;
  credentials.login = CO_TRY(std::move(name));
  credentials.password = std::move(arguments.digest);
  credentials.proof = auth::Proof::apop;
  credentials.challenge = context.apop_stamp;
  const server::LoginWay way("pop3", "APOP command");
  auto account = co_await server::log_in(context.host, way, std::move(credentials));
  co_return co_await enter(context, std::move(account));
}

Answer run_auth(Context& context, AuthArgs arguments) {
  if (arguments.mechanism.empty()) co_return list_mechanisms(context);
  Wire wire(context);
  auto account = co_await server::authenticate(context.host, "pop3", std::move(arguments.mechanism),
                                               std::move(arguments.initial_response), wire);
  co_return co_await enter(context, std::move(account));
}

}  // namespace postkeep::pop3
