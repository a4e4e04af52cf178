// EXTERNAL: who the client is has been shown outside of SASL, here by its TLS certificate; the one message is whom it
// wants to act as, or empty. RFC 4422 Appendix A.
#include <memory>
#include <string>
#include <utility>

#include "auth/limits.h"
#include "auth/mechanisms.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

class External final : public Mechanism {
 public:
  explicit External(CertificateNames certificate) : certificate_(std::move(certificate)) {}

  Step step(std::string_view message) override {
    if (message.size() > login_octets_max || message.find('\0') != std::string_view::npos ||
        !text::is_valid_utf8(message)) {
      return Refusal{Error(ErrorKind::bad_syntax, "EXTERNAL wants nothing, or a name in UTF-8")};
    }
    Credentials credentials;
    credentials.proof = Proof::certificate;
    credentials.login = certificate_.subject;
    credentials.authorization = std::string(message);
    credentials.certificate = std::move(certificate_);
    return credentials;
  }

 private:
  CertificateNames certificate_;
};

}  // namespace

std::unique_ptr<Mechanism> make_external(CertificateNames certificate) {
  return std::make_unique<External>(std::move(certificate));
}

}  // namespace postkeep::auth
