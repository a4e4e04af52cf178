// AUTHENTICATE. RFC 9051 §6.2.2, RFC 4959 (initial response), RFC 4422.
#include <optional>
#include <utility>

#include "protocol/base/base64.h"
#include "protocol/imap/limits.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/login.h"
#include "server/runtime/sasl_dialogue.h"

namespace postkeep::imap {

namespace {

class ImapSaslWire final : public server::SaslWire {
 public:
  explicit ImapSaslWire(Context& context) : context_(context) {}

  void send_challenge(std::string_view base64) override {
    Writer out = context_.out();
    write_continuation(out, base64);
  }
  // Whoever sends endless lines is ended by the time limit before login. "=" stands for an empty response in the
  // command alone (RFC 4959 §3); some clients send it as a line too.
  server::Awaitable<Result<std::string>> read_line() override {
    for (;;) {
      auto line = context_.framer.next_line(limits::authenticate_line_bytes_max);
      if (!line) co_return tl::unexpected<Error>(std::move(line).error());
      if (*line) co_return *line == "=" ? std::string() : std::move(**line);
      co_await context_.read_more();
    }
  }

 private:
  Context& context_;
};

// As auth/exchange takes it: base64, "=" for an empty one.
std::string wire_form(const Secret& initial_response) {
  return initial_response.empty() ? "=" : base64_encode(initial_response.reveal());
}

}  // namespace

Answer run_authenticate(Context& context, AuthenticateArgs arguments) {
  std::optional<std::string> initial;
  if (arguments.initial_response) initial = wire_form(*arguments.initial_response);
  ImapSaslWire wire(context);
  auto account = co_await server::authenticate(context.host, protocol_name, std::move(arguments.mechanism),
                                               std::move(initial), wire);
  co_return finish_login(context, std::move(account));
}

}  // namespace postkeep::imap
