// SCRAM-SHA-1, SCRAM-SHA-256: the client proves that it knows the password, the server that it has its keys. With -PLUS
// behind the name, the proof is of this TLS connection, too: whoever stands between has another. RFC 5802, RFC 7677,
// RFC 9266.
//
//   C: n,,n=user,r=<client nonce>                            -PLUS: p=<type of binding>,,n=user,...
//   S: r=<client nonce><server nonce>,s=<salt>,i=<iterations>
//   C: c=<"n,," in base64>,r=<both nonces>,p=<proof>         -PLUS: c=<"p=<type>,,"<binding>>
//   S: v=<signature>                                         or e=<why not>
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

// `reason` is one of RFC 5802 §7 server-error-value, for the client's program; or empty: none is told.
Refusal refuse(ErrorKind kind, std::string text, std::string_view reason, std::string detail = {}) {
  Refusal refusal{Error(kind, std::move(text), std::move(detail))};
  if (!reason.empty()) refusal.farewell = "e=" + std::string(reason);
  return refusal;
}

Refusal malformed(std::string text, std::string_view reason = {}) {
  return refuse(ErrorKind::bad_syntax, std::move(text), reason);
}

// Takes the attribute before the next comma off; nothing if it does not begin with `name` and "=".
std::optional<std::string_view> take_attribute(std::string_view& message, char name) {
  const std::string_view attribute = message.substr(0, message.find(','));
  if (attribute.size() < 2 || attribute[0] != name || attribute[1] != '=') return std::nullopt;
  message.remove_prefix(std::min(message.size(), attribute.size() + 1));
  return attribute.substr(2);
}

// RFC 5802 §5.1: "=2C" is a comma and "=3D" an equals sign; an "=" is nothing else. The look-up compares names with
// regard to SASLprep (Authenticator), so it does not happen here.
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
  Scram(ScramHash hash, ScramBinding binding, NonceSource nonce)
      : hash_(hash), binding_(std::move(binding)), make_nonce_(nonce) {}

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
    request.hash = hash_;
    if (std::optional<Refusal> refusal = read_header(message, request.authorization)) return *refusal;
    header_ = whole.substr(0, whole.size() - message.size());
    client_first_ = message;
    if (message.starts_with("m=")) {
      return malformed("SCRAM here knows no mandatory extension", "extensions-not-supported");
    }
    const std::optional<std::string_view> name = take_attribute(message, 'n');
    const std::optional<std::string_view> nonce = take_attribute(message, 'r');
    if (!name || !nonce || !is_nonce(*nonce)) return malformed("SCRAM wants n=name,r=nonce");
    std::optional<std::string> login = decode_name(*name);
    if (!login) {
      return malformed("SCRAM wants a name in UTF-8, with comma and equals sign escaped", "invalid-username-encoding");
    }
    request.login = std::move(*login);
    nonce_ = *nonce;
    return request;
  }

  std::optional<Refusal> read_header(std::string_view& message, std::string& authorization) {
    if (std::optional<Refusal> refusal = read_flag(message)) return refusal;
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

  // RFC 5802 §6, §7 gs2-cbind-flag, with its comma. "y": the client could bind but saw no offer. If there was one,
  // somebody has taken it away.
  std::optional<Refusal> read_flag(std::string_view& message) {
    const bool is_bound = binding_.mode == ScramBinding::Mode::required;
    const std::string_view flag = message.substr(0, message.find(','));
    message.remove_prefix(std::min(message.size(), flag.size() + 1));
    if (flag.starts_with("p=")) {
      if (!is_bound) {
        return malformed("Channel binding goes with the -PLUS mechanism alone", "channel-binding-not-supported");
      }
      const auto chosen = std::ranges::find(binding_.bindings, flag.substr(2), &ChannelBinding::type);
      if (chosen == binding_.bindings.end()) {
        return refuse(ErrorKind::cannot, "This type of channel binding is not supported here",
                      "unsupported-channel-binding-type");
      }
      bound_to_ = chosen->octets;
      return std::nullopt;
    }
    if (is_bound) return malformed("A -PLUS mechanism begins with p=");
    if (flag == "y" && binding_.mode == ScramBinding::Mode::possible) {
      return refuse(ErrorKind::authentication_failed, "Channel binding was offered; did somebody take it away?",
                    "server-does-support-channel-binding", "the client did not see that channel binding is offered");
    }
    if (flag != "n" && flag != "y") return malformed("SCRAM begins with n, or y,");
    return std::nullopt;
  }

  Step client_final(std::string_view message) {
    const std::size_t proof_at = message.rfind(",p=");
    if (proof_at == std::string_view::npos) return malformed("SCRAM wants a proof");
    const std::string_view without_proof = message.substr(0, proof_at);
    std::string_view rest = without_proof;
    const std::optional<std::string_view> binding = take_attribute(rest, 'c');
    const std::optional<std::string_view> nonce = take_attribute(rest, 'r');
    if (!binding) return malformed("SCRAM wants its channel binding as c=");
    if (*binding != base64_encode(header_ + bound_to_)) return binding_changed(*binding);
    if (!nonce || *nonce != nonce_) return malformed("SCRAM's nonce has changed");
    const Result<std::string> proof = base64_decode(message.substr(proof_at + 3));
    if (!proof || proof->size() != octets_of(hash_)) {
      return malformed("SCRAM wants a proof of " + std::to_string(octets_of(hash_)) + " octets in base64");
    }

    const std::string signed_text = client_first_ + "," + server_first_ + "," + std::string(without_proof);
    if (answer_.attempt && !answer_.attempt->still_admitted()) return Refusal{too_many_logins()};
    const bool proven = is_proof(answer_.keys, signed_text, *proof);
    if (answer_.attempt) settle(*answer_.attempt, proven, answer_.if_proven);
    if (!proven) return not_proven(wrong_login(answer_.if_wrong));
    if (!answer_.if_proven) return not_proven(answer_.if_proven.error());
    stage_ = Stage::acknowledged;
    return Challenge{"v=" + base64_encode(server_signature(answer_.keys, signed_text))};
  }

  // Who is disabled, or may not act as somebody, is told as much as who is wrong: RFC 5802 §7 has no other values for
  // it but such as tell too much.
  static Refusal not_proven(Error error) {
    const bool is_wrong = error.kind == ErrorKind::authentication_failed;
    return Refusal{std::move(error), is_wrong ? "e=invalid-proof" : "e=other-error"};
  }

  // The header must come back as it came; where that is so, what it is bound to differs: two TLS connections meet in
  // somebody's hands.
  Refusal binding_changed(std::string_view given) const {
    const Result<std::string> octets = base64_decode(given);
    if (binding_.mode != ScramBinding::Mode::required || !octets || !octets->starts_with(header_)) {
      return malformed("SCRAM's channel binding has changed", "channel-bindings-dont-match");
    }
    return refuse(ErrorKind::authentication_failed, "This is not the TLS connection that you think it is",
                  "channel-bindings-dont-match", "the client is bound to another TLS connection");
  }

  const ScramHash hash_;
  const ScramBinding binding_;
  const NonceSource make_nonce_;
  Stage stage_ = Stage::client_first;
  std::string header_;        // gs2-header, which comes back in c=
  std::string bound_to_;      // with it, cbind-data; empty without channel binding
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

std::unique_ptr<Mechanism> make_scram(ScramHash hash, ScramBinding binding, NonceSource nonce) {
  return std::make_unique<Scram>(hash, std::move(binding), nonce);
}

}  // namespace postkeep::auth
