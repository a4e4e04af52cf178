// CRAM-MD5: the server sends a text that was never sent before, the client its name and HMAC-MD5 of the text, with the
// password as key. RFC 2195, RFC 2104. The server does not prove that it knows the password, too, and must keep it as
// it is: SCRAM is better in everything but age.
#include <memory>
#include <optional>
#include <string>

#include "auth/limits.h"
#include "auth/mechanisms.h"
#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

class CramMd5 final : public Mechanism {
 public:
  CramMd5(std::string_view hostname, NonceSource nonce)
      : challenge_("<" + nonce() + "@" + std::string(hostname) + ">") {}

  // RFC 2195 §2: in the form of a message id.
  std::optional<std::string> first_challenge() override {
    asked_ = true;
    return challenge_;
  }

  Step step(std::string_view message) override {
    if (!asked_) return Refusal{Error(ErrorKind::bad_syntax, "CRAM-MD5 has no initial response")};
    // The digest has no space; a name may.
    const std::size_t space = message.rfind(' ');
    if (space == std::string_view::npos || space == 0 || message.find('\0') != std::string_view::npos ||
        !text::is_valid_utf8(message) || !is_digest(message.substr(space + 1))) {
      return Refusal{Error(ErrorKind::bad_syntax, "CRAM-MD5 wants a name and 32 hexadecimal digits")};
    }
    Credentials credentials;
    credentials.proof = Proof::cram_md5;
    credentials.login = std::string(message.substr(0, space));
    credentials.password = Secret(ascii::to_lower(message.substr(space + 1)));
    credentials.challenge = challenge_;
    return credentials;
  }

 private:
  static bool is_digest(std::string_view text) {
    if (text.size() != cram_md5_digits) return false;
    for (const char c : text) {
      if (ascii::hex_value(c) < 0) return false;
    }
    return true;
  }

  const std::string challenge_;
  bool asked_ = false;
};

}  // namespace

std::unique_ptr<Mechanism> make_cram_md5(std::string_view hostname, NonceSource nonce) {
  return std::make_unique<CramMd5>(hostname, nonce);
}

}  // namespace postkeep::auth
