// SCRAM-SHA-256: the client proves that it knows the password, the server that it has its keys. RFC 5802, RFC 7677.
// Without channel binding: SCRAM-SHA-256-PLUS is not offered.
//
//   C: n,,n=user,r=<client nonce>
//   S: r=<client nonce><server nonce>,s=<salt>,i=<iterations>
//   C: c=biws,r=<both nonces>,p=<proof>
//   S: v=<signature>
//   C: (empty)
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "auth/limits.h"
#include "auth/mechanisms.h"
#include "auth/scram_keys.h"
#include "protocol/base/base64.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

Refusal malformed(std::string text) { return Refusal{Error(ErrorKind::bad_syntax, std::move(text))}; }

// Takes the attribute before the next comma off; nothing if it does not begin with `name` and "=".
std::optional<std::string_view> take_attribute(std::string_view& message, char name) {
  const std::string_view attribute = message.substr(0, message.find(','));
  if (attribute.size() < 2 || attribute[0] != name || attribute[1] != '=') return std::nullopt;
  message.remove_prefix(std::min(message.size(), attribute.size() + 1));
  return attribute.substr(2);
}

// RFC 5802 §5.1: "=2C" is a comma and "=3D" an equals sign; an "=" is nothing else. The directory finds names in its
// own normal form (auth/user_name.h), so no SASLprep happens here.
std::optional<std::string> decode_name(std::string_view encoded) {
  std::string name;
  while (!encoded.empty()) {
    const std::string_view escape = encoded.substr(0, 3);
    if (encoded.front() != '=') {
      name += encoded.front();
      encoded.remove_prefix(1);
      continue;
    }
    if (escape != "=2C" && escape != "=3D") return std::nullopt;
    name += escape == "=2C" ? ',' : '=';
    encoded.remove_prefix(escape.size());
  }
  if (name.empty() || name.find('\0') != std::string::npos || !text::is_valid_utf8(name)) return std::nullopt;
  return name;
}

// RFC 5802 §7 printable: from "!" to "~" without the comma, which the attribute cannot have anyway.
bool is_nonce(std::string_view text) {
  if (text.empty() || text.size() > scram_nonce_octets_max) return false;
  for (const char c : text) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

// Which password a wrong proof was made of cannot be told from it: each counts. Who may not act as somebody else has
// shown all the same who it is.
void settle(GuessGuard::Attempt& attempt, bool proven, const Result<Identity>& if_proven) {
  if (proven && (if_proven || if_proven.error().kind == ErrorKind::authorization_failed)) {
    attempt.right();
  } else if (!proven || if_proven.error().kind == ErrorKind::authentication_failed) {
    attempt.wrong(nullptr);
  }
}

class Scram final : public Mechanism {
 public:
  explicit Scram(NonceSource nonce) : make_nonce_(nonce) {}

  Step step(std::string_view message) override {
    switch (stage_) {
      case Stage::client_first:
        return client_first(message);
      case Stage::client_final:
        return client_final(message);
      case Stage::acknowledged:
        break;
    }
    if (!message.empty()) return malformed("SCRAM ends with an empty message");
    return Proven{std::move(*answer_.if_proven)};
  }

  Step supply(KeyAnswer answer) override {
    answer_ = std::move(answer);
    nonce_ += make_nonce_();
    server_first_ =
        "r=" + nonce_ + ",s=" + base64_encode(answer_.keys.salt) + ",i=" + std::to_string(answer_.keys.iterations);
    stage_ = Stage::client_final;
    return Challenge{server_first_};
  }

 private:
  enum class Stage { client_first, client_final, acknowledged };

  // gs2-header client-first-message-bare
  Step client_first(std::string_view message) {
    const std::string_view whole = message;
    KeyRequest request;
    if (std::optional<Refusal> refusal = read_header(message, request.authorization)) return *refusal;
    header_ = whole.substr(0, whole.size() - message.size());
    client_first_ = message;
    if (message.starts_with("m=")) return malformed("SCRAM here knows no mandatory extension");
    const std::optional<std::string_view> name = take_attribute(message, 'n');
    const std::optional<std::string_view> nonce = take_attribute(message, 'r');
    if (!name || !nonce || !is_nonce(*nonce)) return malformed("SCRAM wants n=name,r=nonce");
    std::optional<std::string> login = decode_name(*name);
    if (!login) return malformed("SCRAM wants a name in UTF-8, with comma and equals sign escaped");
    request.login = std::move(*login);
    nonce_ = *nonce;
    return request;
  }

  // RFC 5802 §6, §7. "p=": binding is wanted that was not offered. "y": the client could bind but saw no offer,
  // which is true; had somebody taken an offer away, the server would refuse here.
  static std::optional<Refusal> read_header(std::string_view& message, std::string& authorization) {
    if (message.starts_with("p=")) return malformed("SCRAM with channel binding is not offered");
    if (!message.starts_with("n,") && !message.starts_with("y,")) return malformed("SCRAM begins with n, or y,");
    message.remove_prefix(2);
    if (message.starts_with(',')) {
      message.remove_prefix(1);
      return std::nullopt;
    }
    const std::optional<std::string_view> name = take_attribute(message, 'a');
    std::optional<std::string> decoded = name ? decode_name(*name) : std::nullopt;
    if (!decoded) return malformed("SCRAM wants an authorization as a=name");
    authorization = std::move(*decoded);
    return std::nullopt;
  }

  Step client_final(std::string_view message) {
    const std::size_t proof_at = message.rfind(",p=");
    if (proof_at == std::string_view::npos) return malformed("SCRAM wants a proof");
    const std::string_view without_proof = message.substr(0, proof_at);
    std::string_view rest = without_proof;
    const std::optional<std::string_view> binding = take_attribute(rest, 'c');
    const std::optional<std::string_view> nonce = take_attribute(rest, 'r');
    if (!binding || *binding != base64_encode(header_)) return malformed("SCRAM's channel binding has changed");
    if (!nonce || *nonce != nonce_) return malformed("SCRAM's nonce has changed");
    const Result<std::string> proof = base64_decode(message.substr(proof_at + 3));
    if (!proof || proof->size() != Sha256().size()) return malformed("SCRAM wants a proof of 32 octets in base64");

    const std::string signed_text = client_first_ + "," + server_first_ + "," + std::string(without_proof);
    if (answer_.attempt && !answer_.attempt->still_admitted()) return Refusal{too_many_logins()};
    const bool proven = is_proof(answer_.keys, signed_text, *proof);
    if (answer_.attempt) settle(*answer_.attempt, proven, answer_.if_proven);
    if (!proven) return Refusal{wrong_login(answer_.if_wrong)};
    if (!answer_.if_proven) return Refusal{answer_.if_proven.error()};
    stage_ = Stage::acknowledged;
    return Challenge{"v=" + base64_encode(server_signature(answer_.keys, signed_text))};
  }

  const NonceSource make_nonce_;
  Stage stage_ = Stage::client_first;
  std::string header_;        // gs2-header, which comes back in c=
  std::string client_first_;  // without the header
  std::string server_first_;
  std::string nonce_;  // the client's, then both
  KeyAnswer answer_;
};

}  // namespace

std::string random_nonce() {
  std::array<unsigned char, 18> octets{};  // 24 characters of base64, no padding
  system_random(octets);
  return base64_encode(std::string_view(reinterpret_cast<const char*>(octets.data()), octets.size()));
}

std::unique_ptr<Mechanism> make_scram_sha_256(NonceSource nonce) { return std::make_unique<Scram>(nonce); }

}  // namespace postkeep::auth
