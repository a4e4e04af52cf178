// LOGIN: the server asks "Username:", then "Password:". Never standardised (draft-murchison-sasl-login-00), offered
// because old clients know nothing else.
#include <memory>
#include <string>

#include "auth/mechanisms.h"

namespace postkeep::auth {

namespace {

class Login final : public Mechanism {
 public:
  Step step(std::string_view message) override {
    if (message.empty() || message.find('\0') != std::string_view::npos) {
      return Refusal{Error(ErrorKind::bad_syntax, "LOGIN wants a name and a password, neither empty nor with NUL")};
    }
    if (name_.empty()) {
      name_ = std::string(message);
      return Challenge{"Password:"};
    }
    Credentials credentials;
    credentials.login = name_;
    credentials.password = Secret(std::string(message));
    return credentials;
  }

 private:
  std::string name_;  // empty: not yet told
};

}  // namespace

std::unique_ptr<Mechanism> make_login() { return std::make_unique<Login>(); }

}  // namespace postkeep::auth
