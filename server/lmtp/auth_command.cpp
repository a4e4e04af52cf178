// AUTH. RFC 4954, RFC 4422. What it has in common with other protocols is in runtime/sasl_dialogue.
#include <utility>

#include "server/lmtp/commands.h"
#include "server/runtime/sasl_dialogue.h"

namespace postkeep::server {
namespace {

class LmtpSaslWire final : public SaslWire {
 public:
  LmtpSaslWire(Connection& connection, line::LineFramer& framer) : connection_(connection), framer_(framer) {}

  void send_challenge(std::string_view base64) override { ((connection_.output() += "334 ") += base64) += "\r\n"; }
  Awaitable<Result<std::string>> read_line() override {
    std::string_view line;
    auto event = framer_.next(line);
    while (event == line::LineFramer::Event::incomplete) {
      co_await connection_.flush();
      std::string input;
      const std::size_t count = co_await connection_.read_some(input);
      if (count == 0) throw ConnectionEnded(Ending::failed, "the peer left inside AUTH");
      framer_.push(input);
      event = framer_.next(line);
    }
    if (event == line::LineFramer::Event::too_long) co_return failure(ErrorKind::bad_syntax, "Line too long");
    co_return std::string(line);
  }

 private:
  Connection& connection_;
  line::LineFramer& framer_;
};

// RFC 4954 §4, §6.
lmtp::Reply login_failed(const Error& error) {
  switch (error.kind) {
    case ErrorKind::bad_syntax:
      return lmtp::Reply(501, "5.5.2", error.text);
    case ErrorKind::cannot:
      return lmtp::Reply(504, "5.5.4", error.text);
    case ErrorKind::privacy_required:
      return lmtp::Reply(538, "5.7.11", error.text);
    case ErrorKind::authentication_failed:
    case ErrorKind::authorization_failed:
      return lmtp::Reply(535, "5.7.8", error.text);
    default:
      return lmtp::Reply(454, "4.7.0", "Cannot check it now, try again later");
  }
}

}  // namespace

// Who has to log in gets no more time for it than others do; afterwards, and where nobody has to, as much as it wants.
void LmtpCommands::limit_time_to_log_in() {
  if (needs_login()) {
    context_.connection.set_time_limit(context_.settings->limits.time_to_authenticate);
  } else {
    context_.connection.clear_time_limit();
  }
}

bool LmtpCommands::needs_login() const {
  return context_.settings->lmtp.auth == LmtpAuth::required && context_.user().empty();
}

asio::awaitable<LmtpNext> LmtpCommands::auth(lmtp::Auth command) {
  if (context_.settings->lmtp.auth == LmtpAuth::off) {
    refuse(502, "5.5.1", "Command not implemented");
    co_return LmtpNext::go_on;
  }
  if (envelope_.client_name.empty() || in_mail_ || !context_.user().empty()) {
    refuse(503, "5.5.1", envelope_.client_name.empty() ? "Send LHLO first" : "Not now");
    co_return LmtpNext::go_on;
  }
  LmtpSaslWire wire(context_.connection, framer_);
  const auto account =
      co_await authenticate(context_, "lmtp", std::move(command.mechanism), std::move(command.initial_response), wire);
  if (account) {
    limit_time_to_log_in();
    reply(235, "2.7.0", "Authenticated");
    co_return LmtpNext::go_on;
  }
  lmtp::write_reply(context_.connection.output(), login_failed(account.error()));
  if (!too_many_failed_logins(context_)) co_return LmtpNext::go_on;
  reply(421, "4.7.0", "Too many failed logins");
  co_return LmtpNext::quit;
}

}  // namespace postkeep::server
