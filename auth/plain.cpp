// PLAIN: [authorization] NUL name NUL password in one message. RFC 4616.
#include <memory>
#include <optional>

#include "auth/mechanisms.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

class Plain final : public Mechanism {
 public:
  Step step(std::string_view message) override {
    const std::size_t first = message.find('\0');
    const std::size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    if (second == std::string_view::npos || message.find('\0', second + 1) != std::string_view::npos) {
      return Refusal{Error(ErrorKind::bad_syntax, "PLAIN wants [authorization] NUL name NUL password")};
    }
    const std::string_view authorization = message.substr(0, first);
    const std::string_view login = message.substr(first + 1, second - first - 1);
    const std::string_view password = message.substr(second + 1);
    if (login.empty() || password.empty()) {
      return Refusal{Error(ErrorKind::bad_syntax, "PLAIN wants a name and a password")};
    }
    if (!text::is_valid_utf8(message)) return Refusal{Error(ErrorKind::bad_syntax, "PLAIN wants UTF-8")};
    Credentials credentials;
    credentials.login = std::string(login);
    credentials.authorization = std::string(authorization);
    credentials.password = Secret(std::string(password));
    return credentials;
  }
};

}  // namespace

std::unique_ptr<Mechanism> make_plain() { return std::make_unique<Plain>(); }

}  // namespace postkeep::auth
