// SCRAM-SHA-256 keys: what a server keeps of a password for SCRAM (RFC 5802 §3, RFC 7677), made, printed and
// read back. Used by auth/password_hash. Pure but for the cost.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

using Sha256 = std::array<unsigned char, 32>;

// StoredKey and ServerKey of RFC 5802 §3; from neither can the password be had but by guessing.
struct ScramKeys {
  std::uint32_t iterations = 0;
  std::string salt;  // octets
  Sha256 stored_key{};
  Sha256 server_key{};
};

// `password` is in its SASLprep form already. Throws std::runtime_error if libcrypto fails.
ScramKeys derive_scram_keys(const Secret& password, std::string_view salt, std::uint32_t iterations);

// Keys for a user who has none or does not exist: the same for the same secret and name, and nobody can say that they
// are not real, since no password leads to them. Costs next to nothing.
ScramKeys made_up_scram_keys(const Secret& server_secret, std::string_view name, std::uint32_t iterations);

// RFC 5802 §3: whether `proof` (32 octets) was made of the password's key and `signed_text`, the AuthMessage. The time
// does not depend on how far a wrong one was right.
bool is_proof(const ScramKeys& keys, std::string_view signed_text, std::string_view proof);
std::string server_signature(const ScramKeys& keys, std::string_view signed_text);  // 32 octets

// "iterations,salt,stored,server", the three in base64, as Dovecot writes them: no colon, so it fits into a
// passwd-file.
std::string to_text(const ScramKeys& keys);
// Takes "$iterations:salt$stored:server" as well. Errors: cannot (malformed, or iterations outside auth/limits.h).
Result<ScramKeys> scram_keys_from_text(std::string_view text);

}  // namespace postkeep::auth
