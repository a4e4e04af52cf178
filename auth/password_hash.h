// Verifiers: what is kept of a password, and how one is checked. ARGON2ID for PLAIN and LOGIN, SCRAM-SHA-256
// keys (RFC 5802 §3, RFC 7677) for mechanisms in which the password never travels, PLAIN where an
// administrator wants that. Used by the authenticator and by the admin commands. Blocking and
// costly on purpose; knows no users and no policy.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

enum class Scheme { argon2id, scram_sha_256, plain };

// "ARGON2ID", "SCRAM-SHA-256", "PLAIN"; parsing ignores case.
std::string_view to_string(Scheme scheme);
std::optional<Scheme> scheme_from_string(std::string_view name);

// One verifier. `hash` is by scheme: "$argon2id$v=19$m=..,t=..,p=..$salt$hash"; "$iterations:salt$stored:server"
// (base64); the password itself.
struct Verifier {
  Scheme scheme = Scheme::argon2id;
  Secret hash;
};

// "{SCHEME}hash", as --hash takes it and the database keeps it.
Secret to_text(const Verifier& verifier);
// Errors: cannot, with the reason: unknown scheme, malformed hash, parameters beyond auth/limits.h.
Result<Verifier> verifier_from_text(std::string_view text);

// What making a hash costs. The defaults are OWASP's for a server that hashes at every login.
struct HashCost {
  std::uint32_t argon2_memory_kib = 19 * 1024;
  std::uint32_t argon2_iterations = 2;
  std::uint32_t scram_iterations = 4096;
};

// Where salts come from: the system's generator in production, fixed octets in tests. Throws
// std::runtime_error when there is no randomness.
using RandomSource = void (*)(std::span<unsigned char> out);
void system_random(std::span<unsigned char> out);

// The form of a password that is hashed: SASLprep (RFC 4013) as RFC 4616 §2 and RFC 5802 §5.1 want it. Code points
// newer than Unicode 3.2 pass through. Errors: cannot (empty, too long, not UTF-8, control characters).
Result<Secret> prepared_password(const Secret& password);

// The verifiers that setting a password writes: ARGON2ID and SCRAM-SHA-256, or PLAIN alone for Scheme::plain, or
// the one scheme named. Errors: cannot (unfit password), unavailable (no memory for Argon2).
Result<std::vector<Verifier>> make_verifiers(const Secret& password, std::optional<Scheme> scheme, const HashCost& cost,
                                             RandomSource random = system_random);

// Does the password fit? The time does not depend on how far a wrong one was right. A password that cannot be
// prepared fits nothing. Errors: corruption (malformed hash), unavailable (no memory).
Result<bool> verify_password(const Secret& password, const Verifier& verifier);

// Takes as long as checking a password against an ARGON2ID verifier of this cost; for users that do not exist.
void waste_like_argon2(const Secret& password, const HashCost& cost);

}  // namespace postkeep::auth
