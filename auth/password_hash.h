// Verifiers: what is kept of a password, and how one is checked. ARGON2ID for PLAIN and LOGIN, SCRAM-SHA-256
// keys (RFC 5802 §3, RFC 7677) for mechanisms in which the password never travels, and what other programs have kept
// it as. Used by the authenticator and by the admin commands. Blocking and costly on purpose; knows no users and no
// policy. The schemes themselves are rows: auth/schemes.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "protocol/text/prep.h"

namespace postkeep::auth {

enum class Scheme {
  argon2id,
  scram_sha_256,
  plain,
  crypt,  // any of crypt(3)'s that are known here
  sha512_crypt,
  sha256_crypt,
  blf_crypt,
  md5_crypt,
  argon2i,
  scram_sha_1,
  ssha512,
  ssha256,
  ssha,
  sha512,
  sha256,
  sha,
};

// What one check costs, cheapest first. Trifling ones are not counted among the costly hashes.
enum class Work { trifling, argon2, scram, crypt };
Work work_of(Scheme scheme);

// "ARGON2ID", "SCRAM-SHA-256", "PLAIN"; parsing ignores case and knows aliases.
std::string_view to_string(Scheme scheme);
std::optional<Scheme> scheme_from_string(std::string_view name);
// "ARGON2ID, SCRAM-SHA-256, ...": those in which a password can be kept from now on.
std::string makeable_schemes();

// One verifier. `hash` is in the scheme's own form (auth/schemes.h).
struct Verifier {
  Scheme scheme = Scheme::argon2id;
  Secret hash;
};

// "{SCHEME}hash", as --hash takes it, the database keeps it and a passwd-file has it.
Secret to_text(const Verifier& verifier);
// Takes the scheme with .HEX or .B64 behind it, too. Errors: cannot, with the reason: unknown scheme, malformed hash,
// parameters beyond auth/limits.h. The text of an error never has any of the hash in it.
Result<Verifier> verifier_from_text(std::string_view text);
// The same where a text without "{SCHEME}" is a hash of crypt(3), as in a passwd-file.
Result<Verifier> verifier_from_text_or_crypt(std::string_view text);

// What making a hash costs. The defaults are OWASP's for a server that hashes at every login.
struct HashCost {
  std::uint32_t argon2_memory_kib = 19 * 1024;
  std::uint32_t argon2_iterations = 2;
  std::uint32_t scram_iterations = 4096;
  bool scram_sha_1 = false;  // what setting a password writes has SCRAM-SHA-1 keys as well
};

// Where salts come from: the system's generator in production, fixed octets in tests. Throws
// std::runtime_error when there is no randomness.
using RandomSource = void (*)(std::span<unsigned char> out);
void system_random(std::span<unsigned char> out);

// The form of a password that is hashed: SASLprep (RFC 4013) as RFC 4616 §2 and RFC 5802 §5.1 want it; one that is to
// be kept is a stored string, one that comes with a login a query (RFC 3454 §7, see protocol/text/prep.h). Errors:
// cannot (empty, too long, not UTF-8, control characters).
Result<Secret> prepared_password(const Secret& password, text::Prep prep = text::Prep::query);

// The verifiers that setting a password writes: ARGON2ID and SCRAM-SHA-256 (and SCRAM-SHA-1 where `cost` says so), or
// the one scheme named. Errors: cannot
// (unfit password; a scheme that is only read), unavailable (no memory for Argon2).
Result<std::vector<Verifier>> make_verifiers(const Secret& password, std::optional<Scheme> scheme, const HashCost& cost,
                                             RandomSource random = system_random);

// Does the password fit? The time does not depend on how far a wrong one was right. A password that cannot be
// prepared fits nothing. Other programs hash what was typed, so that is tried as well where preparing changed it.
// Errors: corruption (malformed hash), unavailable (no memory).
Result<bool> verify_password(const Secret& password, const Verifier& verifier);

// Takes as long as checking a password against an ARGON2ID verifier of this cost; for users that do not exist.
void waste_like_argon2(const Secret& password, const HashCost& cost);

}  // namespace postkeep::auth
