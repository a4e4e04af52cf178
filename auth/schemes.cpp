#include "auth/schemes.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <stdexcept>

#include "auth/limits.h"
#include "auth/scram_keys.h"

namespace postkeep::auth {

namespace {

// --- SCRAM-SHA-256 and SCRAM-SHA-1: "iterations,salt,stored,server"

template <ScramHash which>
Result<std::string> read_scram(std::string_view hash) {
  return to_text(TRY(scram_keys_from_text(hash, which)));
}

template <ScramHash which>
Result<bool> verify_scram(const Secret& password, std::string_view hash) {
  const Result<ScramKeys> kept = scram_keys_from_text(hash, which);
  if (!kept) return failure(ErrorKind::corruption, "The password cannot be checked now", kept.error().text);
  const ScramKeys given = derive_scram_keys(password, kept->salt, kept->iterations, which);
  return are_equal(given.stored_key, kept->stored_key);
}

template <ScramHash which>
Result<Secret> make_scram(const Secret& prepared, const HashCost& cost, RandomSource random) {
  const std::string salt = random_octets(scram_salt_octets, random);
  return Secret(to_text(derive_scram_keys(prepared, salt, cost.scram_iterations, which)));
}

// --- PLAIN: the password itself

Result<std::string> read_plain_text(std::string_view hash) {
  TRY(prepared_password(Secret(std::string(hash))));
  return std::string(hash);
}

std::string sha256(std::string_view text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

// Hashes are compared, so that the time tells nothing of the length either.
Result<bool> verify_plain_text(const Secret& password, std::string_view kept) {
  const Result<Secret> prepared = prepared_password(Secret(std::string(kept)));
  if (!prepared) return failure(ErrorKind::corruption, "The password cannot be checked now", prepared.error().text);
  return are_equal(sha256(password.reveal()), sha256(prepared->reveal()));
}

Result<Secret> make_plain_text(const Secret& prepared, const HashCost&, RandomSource) { return prepared; }

// --- The table

constexpr auto as_text = SchemeRow::Form::text;
constexpr auto as_octets = SchemeRow::Form::octets;

// clang-format off
constexpr std::array table = {
  // scheme, name, alias, work, form, typed form too, read, verify, make, documentation
  SchemeRow{Scheme::argon2id, "ARGON2ID", "", Work::argon2, as_text, true, read_argon2id, verify_argon2id, make_argon2id,
            "Argon2id (RFC 9106), the default; cost by auth.argon2_memory and auth.argon2_iterations"},
  SchemeRow{Scheme::scram_sha_256, "SCRAM-SHA-256", "", Work::scram, as_text, false, read_scram<ScramHash::sha_256>,
            verify_scram<ScramHash::sha_256>, make_scram<ScramHash::sha_256>,
            "the keys for logins by SCRAM-SHA-256 (RFC 7677); cost by auth.scram_iterations"},
  SchemeRow{Scheme::plain, "PLAIN", "CLEARTEXT", Work::trifling, as_text, false, read_plain_text, verify_plain_text, make_plain_text,
            "the password itself: whoever reads the file knows it"},
  SchemeRow{Scheme::crypt, "CRYPT", "", Work::crypt, as_text, true, read_crypt, verify_crypt, make_yescrypt,
            "crypt(3): made as yescrypt ($y$); all of the next four are read"},
  SchemeRow{Scheme::sha512_crypt, "SHA512-CRYPT", "", Work::crypt, as_text, true, read_sha512_crypt, verify_crypt, make_sha512_crypt,
            "crypt(3) $6$"},
  SchemeRow{Scheme::sha256_crypt, "SHA256-CRYPT", "", Work::crypt, as_text, true, read_sha256_crypt, verify_crypt, make_sha256_crypt,
            "crypt(3) $5$"},
  SchemeRow{Scheme::blf_crypt, "BLF-CRYPT", "BCRYPT", Work::crypt, as_text, true, read_blf_crypt, verify_crypt, make_blf_crypt,
            "crypt(3) $2y$, $2b$, $2a$: bcrypt, which sees the first 72 octets"},
  SchemeRow{Scheme::md5_crypt, "MD5-CRYPT", "", Work::crypt, as_text, true, read_md5_crypt, verify_crypt, nullptr,
            "crypt(3) $1$, quickly guessed once stolen"},
  SchemeRow{Scheme::argon2i, "ARGON2I", "", Work::argon2, as_text, true, read_argon2i, verify_argon2i, nullptr,
            "Argon2i (RFC 9106)"},
  SchemeRow{Scheme::scram_sha_1, "SCRAM-SHA-1", "", Work::scram, as_text, false, read_scram<ScramHash::sha_1>,
            verify_scram<ScramHash::sha_1>, make_scram<ScramHash::sha_1>,
            "the keys for logins by SCRAM-SHA-1 (RFC 5802) of clients that know nothing better"},
  SchemeRow{Scheme::ssha512, "SSHA512", "", Work::trifling, as_octets, true, read_ssha512, verify_sha512, make_ssha512,
            "salted SHA-512, one pass: quickly guessed once stolen"},
  SchemeRow{Scheme::ssha256, "SSHA256", "", Work::trifling, as_octets, true, read_ssha256, verify_sha256, make_ssha256,
            "salted SHA-256, one pass: quickly guessed once stolen"},
  SchemeRow{Scheme::ssha, "SSHA", "", Work::trifling, as_octets, true, read_ssha, verify_sha, nullptr,
            "salted SHA-1, one pass: quickly guessed once stolen"},
  SchemeRow{Scheme::sha512, "SHA512", "", Work::trifling, as_octets, true, read_sha512, verify_sha512, nullptr,
            "SHA-512 without salt: quickly guessed once stolen"},
  SchemeRow{Scheme::sha256, "SHA256", "", Work::trifling, as_octets, true, read_sha256, verify_sha256, nullptr,
            "SHA-256 without salt: quickly guessed once stolen"},
  SchemeRow{Scheme::sha, "SHA", "SHA1", Work::trifling, as_octets, true, read_sha, verify_sha, nullptr,
            "SHA-1 without salt: quickly guessed once stolen"},
};
// clang-format on

}  // namespace

std::span<const SchemeRow> schemes() { return table; }

const SchemeRow& row_of(Scheme scheme) {
  for (const SchemeRow& row : table) {
    if (row.scheme == scheme) return row;
  }
  throw std::logic_error("a scheme without a row");
}

std::string random_octets(std::size_t count, RandomSource random) {
  std::string octets_made(count, '\0');
  random(std::span(reinterpret_cast<unsigned char*>(octets_made.data()), count));
  return octets_made;
}

bool are_equal(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace postkeep::auth
