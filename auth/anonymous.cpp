// ANONYMOUS: anybody; the one message may say who, for the log. RFC 4505.
#include <memory>
#include <string>

#include "auth/limits.h"
#include "auth/mechanisms.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

class Anonymous final : public Mechanism {
 public:
  // RFC 4505 §2: an address, or a token of at most 255 characters; §3 prohibits control characters in it.
  Step step(std::string_view message) override {
    if (!is_trace(message)) {
      return Refusal{Error(ErrorKind::bad_syntax, "ANONYMOUS wants nothing, or up to 255 characters of UTF-8")};
    }
    Credentials credentials;
    credentials.proof = Proof::nothing;
    credentials.login = std::string(message);
    return credentials;
  }

 private:
  static bool is_trace(std::string_view text) {
    if (!text::is_valid_utf8(text)) return false;
    std::size_t characters = 0;
    while (!text.empty()) {
      const text::CodePoint point = text::first_code_point(text);
      if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0)) return false;
      if (++characters > trace_characters_max) return false;
      text.remove_prefix(point.length);
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<Mechanism> make_anonymous() { return std::make_unique<Anonymous>(); }

}  // namespace postkeep::auth
