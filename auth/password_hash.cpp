#include "auth/password_hash.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include "auth/limits.h"
#include "auth/scram_keys.h"
#include "protocol/base/ascii.h"
#include "protocol/text/prep.h"

namespace postkeep::auth {

namespace {

constexpr std::size_t salt_octets = 16;    // RFC 9106 §3.1
constexpr std::size_t argon2_octets = 32;  // of hash
constexpr std::uint32_t argon2_lanes = 1;  // one login uses one core

std::string random_salt(RandomSource random) {
  std::array<unsigned char, salt_octets> salt{};
  random(salt);
  return std::string(reinterpret_cast<const char*>(salt.data()), salt.size());
}

// --- ARGON2ID ---------------------------------------------------------------------------------------------

Result<Secret> make_argon2id(const Secret& password, const HashCost& cost, RandomSource random) {
  const std::string salt = random_salt(random);
  std::string encoded(argon2_encodedlen(cost.argon2_iterations, cost.argon2_memory_kib, argon2_lanes, salt_octets,
                                        argon2_octets, Argon2_id),
                      '\0');
  const int made = argon2id_hash_encoded(cost.argon2_iterations, cost.argon2_memory_kib, argon2_lanes,
                                         password.reveal().data(), password.reveal().size(), salt.data(), salt.size(),
                                         argon2_octets, encoded.data(), encoded.size());
  if (made != ARGON2_OK) {
    return failure(ErrorKind::unavailable, "The password cannot be hashed now", argon2_error_message(made));
  }
  encoded.resize(encoded.find('\0'));
  return Secret(std::move(encoded));
}

Result<bool> verify_argon2id(const Secret& password, std::string_view hash) {
  const std::string encoded(hash);  // libargon2 wants an end of string
  const int verified = argon2id_verify(encoded.c_str(), password.reveal().data(), password.reveal().size());
  if (verified == ARGON2_OK) return true;
  if (verified == ARGON2_VERIFY_MISMATCH) return false;
  const ErrorKind kind = verified == ARGON2_MEMORY_ALLOCATION_ERROR ? ErrorKind::unavailable : ErrorKind::corruption;
  return failure(kind, "The password cannot be checked now", argon2_error_message(verified));
}

// Reads "m=19456" where `name` is "m": true if the number lies in 1..max.
bool parameter_in_range(std::string_view text, std::string_view name, unsigned max) {
  if (!text.starts_with(name) || text.substr(name.size(), 1) != "=") return false;
  text.remove_prefix(name.size() + 1);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= max;
}

bool is_base64_without_padding(std::string_view text, std::size_t characters_min) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() >= characters_min && text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash"
Outcome check_argon2id(std::string_view hash) {
  const std::vector<std::string_view> parts = split(hash, '$');
  if (parts.size() != 6 || !parts[0].empty() || parts[1] != "argon2id" || parts[2] != "v=19" ||
      !is_base64_without_padding(parts[4], 11) || !is_base64_without_padding(parts[5], 22)) {
    return failure(ErrorKind::cannot, "An ARGON2ID hash has the form $argon2id$v=19$m=..,t=..,p=..$salt$hash");
  }
  const std::vector<std::string_view> costs = split(parts[3], ',');
  if (costs.size() != 3 || !parameter_in_range(costs[0], "m", argon2_memory_kib_max) ||
      !parameter_in_range(costs[1], "t", argon2_iterations_max) ||
      !parameter_in_range(costs[2], "p", argon2_lanes_max)) {
    return failure(ErrorKind::cannot, "The cost parameters of the ARGON2ID hash are malformed or too high");
  }
  return {};
}

// --- SCRAM-SHA-256 ----------------------------------------------------------------------------------------

Result<Secret> make_scram(const Secret& password, const HashCost& cost, RandomSource random) {
  return Secret(to_text(derive_scram_keys(password, random_salt(random), cost.scram_iterations)));
}

Result<bool> verify_scram(const Secret& password, std::string_view hash) {
  const Result<ScramKeys> kept = scram_keys_from_text(hash);
  if (!kept) return failure(ErrorKind::corruption, "The password cannot be checked now", kept.error().text);
  const ScramKeys given = derive_scram_keys(password, kept->salt, kept->iterations);
  return CRYPTO_memcmp(given.stored_key.data(), kept->stored_key.data(), given.stored_key.size()) == 0;
}

Outcome check_scram(std::string_view hash) {
  TRY(scram_keys_from_text(hash));
  return {};
}

// --- PLAIN ------------------------------------------------------------------------------------------------

Result<Secret> make_plain_text(const Secret& password, const HashCost&, RandomSource) { return password; }

Sha256 sha256(std::string_view text) {
  Sha256 out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

// Hashes are compared, so that the time tells nothing of the length either.
Result<bool> verify_plain_text(const Secret& password, std::string_view kept) {
  const Result<Secret> prepared = prepared_password(Secret(std::string(kept)));
  if (!prepared) return failure(ErrorKind::corruption, "The password cannot be checked now", prepared.error().text);
  const Sha256 left = sha256(password.reveal());
  const Sha256 right = sha256(prepared->reveal());
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

Outcome check_plain_text(std::string_view hash) {
  TRY(prepared_password(Secret(std::string(hash))));
  return {};
}

// --- The table of schemes ---------------------------------------------------------------------------------

struct SchemeRow {
  Scheme scheme;
  std::string_view name;
  Result<Secret> (*make)(const Secret& prepared, const HashCost&, RandomSource);
  Result<bool> (*verify)(const Secret& prepared, std::string_view hash);
  Outcome (*check)(std::string_view hash);  // of a ready-made one; errors: cannot
};

constexpr std::array schemes = {
    SchemeRow{Scheme::argon2id, "ARGON2ID", make_argon2id, verify_argon2id, check_argon2id},
    SchemeRow{Scheme::scram_sha_256, "SCRAM-SHA-256", make_scram, verify_scram, check_scram},
    SchemeRow{Scheme::plain, "PLAIN", make_plain_text, verify_plain_text, check_plain_text},
};

const SchemeRow& row_of(Scheme scheme) {
  for (const SchemeRow& row : schemes) {
    if (row.scheme == scheme) return row;
  }
  throw std::logic_error("a scheme without a row");
}

}  // namespace

std::string_view to_string(Scheme scheme) { return row_of(scheme).name; }

std::optional<Scheme> scheme_from_string(std::string_view name) {
  for (const SchemeRow& row : schemes) {
    if (ascii::iequals(row.name, name)) return row.scheme;
  }
  return std::nullopt;
}

Secret to_text(const Verifier& verifier) {
  return Secret("{" + std::string(to_string(verifier.scheme)) + "}" + std::string(verifier.hash.reveal()));
}

Result<Verifier> verifier_from_text(std::string_view text) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos) {
    return failure(ErrorKind::cannot, "A ready-made hash has the form {SCHEME}hash");
  }
  if (text.size() > verifier_octets_max) return failure(ErrorKind::cannot, "The hash is too long");
  const std::optional<Scheme> scheme = scheme_from_string(text.substr(1, end - 1));
  if (!scheme) {
    return failure(ErrorKind::cannot, "Unknown scheme; there are ARGON2ID, SCRAM-SHA-256 and PLAIN");
  }
  const std::string_view hash = text.substr(end + 1);
  TRY(row_of(*scheme).check(hash));
  return Verifier{*scheme, Secret(std::string(hash))};
}

void system_random(std::span<unsigned char> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no random numbers");
}

Result<Secret> prepared_password(const Secret& password) {
  if (password.empty()) return failure(ErrorKind::cannot, "The password is empty");
  if (password.reveal().size() > password_octets_max) {
    return failure(ErrorKind::cannot, "The password is longer than " + std::to_string(password_octets_max) + " octets");
  }
  Result<std::string> prepared = text::sasl_prep(password.reveal());
  if (!prepared && prepared.error().kind == ErrorKind::cannot) {
    return failure(ErrorKind::cannot, "A password must be UTF-8 without control characters");
  }
  if (!prepared) return tl::unexpected(prepared.error());
  if (prepared->empty()) return failure(ErrorKind::cannot, "Nothing is left of the password once it is normalised");
  return Secret(std::move(*prepared));
}

Result<std::vector<Verifier>> make_verifiers(const Secret& password, std::optional<Scheme> scheme, const HashCost& cost,
                                             RandomSource random) {
  const Secret prepared = TRY(prepared_password(password));
  const std::vector<Scheme> wanted =
      scheme ? std::vector{*scheme} : std::vector{Scheme::argon2id, Scheme::scram_sha_256};
  std::vector<Verifier> verifiers;
  for (const Scheme one : wanted) {
    verifiers.push_back(Verifier{one, TRY(row_of(one).make(prepared, cost, random))});
  }
  return verifiers;
}

Result<bool> verify_password(const Secret& password, const Verifier& verifier) {
  const Result<Secret> prepared = prepared_password(password);
  if (!prepared && prepared.error().kind == ErrorKind::cannot) return false;
  if (!prepared) return tl::unexpected(prepared.error());
  return row_of(verifier.scheme).verify(*prepared, verifier.hash.reveal());
}

void waste_like_argon2(const Secret& password, const HashCost& cost) {
  constexpr std::string_view salt = "nobody's salt...";
  static_assert(salt.size() == salt_octets);
  std::array<unsigned char, argon2_octets> hash{};
  // Without memory this is quick; then so is the check of a real user.
  argon2id_hash_raw(cost.argon2_iterations, cost.argon2_memory_kib, argon2_lanes, password.reveal().data(),
                    password.reveal().size(), salt.data(), salt.size(), hash.data(), hash.size());
}

}  // namespace postkeep::auth
