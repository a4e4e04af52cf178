// SCRAM-SHA-256 with the keys and the nonce of RFC 7677 §3: each line is a message of the client, not in base64.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "auth/mechanisms.h"
#include "protocol/base/base64.h"

namespace {

using namespace postkeep::auth;

std::string server_nonce() { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"; }

KeyAnswer keys_of_user() {
  static const ScramKeys keys =
      derive_scram_keys(postkeep::Secret("pencil"), postkeep::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value(), 4096);
  KeyAnswer answer;
  answer.keys = keys;
  answer.if_proven = Identity{"user", false, {}};
  answer.if_wrong = "wrong password";
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  std::string_view text = all;
  const auto scram = make_scram(ScramHash::sha_256, {}, server_nonce);
  for (;;) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
    Step step = scram->step(line);
    if (const auto* wanted = std::get_if<KeyRequest>(&step)) {
      if (wanted->login.empty()) std::abort();
      step = scram->supply(keys_of_user());
    }
    if (const auto* refusal = std::get_if<Refusal>(&step)) {
      if (refusal->error.text.empty()) std::abort();
      return 0;
    }
    // Nobody can forge a proof: only what the RFC's client says is right.
    if (std::holds_alternative<Proven>(step)) {
      if (!all.starts_with("n,,n=user,r=rOprNGfwEbeRWgbNEkqO\nc=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa")) std::abort();
      return 0;
    }
    if (text.empty() && !std::holds_alternative<Challenge>(step)) return 0;
    if (text.empty() && line.empty()) return 0;
  }
}
