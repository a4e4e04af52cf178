// SCRAM keys: what a server keeps of a password for SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), made,
// printed and read back. Used by auth/password_hash. Pure but for the cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

// Each has keys of its own: those for one are of no use for the other.
enum class ScramHash { sha_1, sha_256 };
std::size_t octets_of(ScramHash hash);          // of a digest: 20, 32
std::string_view mechanism_of(ScramHash hash);  // "SCRAM-SHA-1", "SCRAM-SHA-256"

// StoredKey and ServerKey of RFC 5802 §3; from neither can the password be had but by guessing.
struct ScramKeys {
  ScramHash hash = ScramHash::sha_256;
  std::uint32_t iterations = 0;
  std::string salt;        // octets
  std::string stored_key;  // octets_of(hash), like the next
  std::string server_key;
};

// `password` is in its SASLprep form already. Throws std::runtime_error if libcrypto fails.
ScramKeys derive_scram_keys(const Secret& password, std::string_view salt, std::uint32_t iterations,
                            ScramHash hash = ScramHash::sha_256);

// Keys for a user who has none or does not exist: the same for the same secret and name, and nobody can say that they
// are not real, since no password leads to them. Costs next to nothing.
ScramKeys made_up_scram_keys(const Secret& server_secret, std::string_view name, std::uint32_t iterations,
                             ScramHash hash = ScramHash::sha_256);

// RFC 5802 §3: whether `proof` (octets_of(hash)) was made of the password's key and `signed_text`, the AuthMessage. The
// time does not depend on how far a wrong one was right.
bool is_proof(const ScramKeys& keys, std::string_view signed_text, std::string_view proof);
std::string server_signature(const ScramKeys& keys, std::string_view signed_text);  // octets

// "iterations,salt,stored,server", the three in base64, as Dovecot writes them: no colon, so it fits into a
// passwd-file.
std::string to_text(const ScramKeys& keys);
// Takes "$iterations:salt$stored:server" as well. Errors: cannot (malformed, or iterations outside auth/limits.h).
Result<ScramKeys> scram_keys_from_text(std::string_view text, ScramHash hash = ScramHash::sha_256);

}  // namespace postkeep::auth
