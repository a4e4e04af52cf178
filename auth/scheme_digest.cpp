// SSHA512, SSHA256, SSHA and their unsalted forms: one pass of a digest over the password and the salt, then the salt
// itself. RFC 2307 began it; LDAP directories and Dovecot have many. Quickly guessed once stolen: read, so that users
// can come along, rather than to be chosen.
#include <openssl/evp.h>

#include <stdexcept>

#include "auth/limits.h"
#include "auth/schemes.h"
#include "protocol/base/base64.h"

namespace postkeep::auth {

namespace {

constexpr std::size_t made_salt_octets = 16;  // of those that we make

std::string digest(const EVP_MD* kind, std::string_view password, std::string_view salt) {
  std::string input(password);
  input += salt;
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  unsigned length = 0;
  const int made =
      EVP_Digest(input.data(), input.size(), reinterpret_cast<unsigned char*>(out.data()), &length, kind, nullptr);
  const Secret wiped(std::move(input));
  if (made != 1) throw std::runtime_error("libcrypto cannot compute a digest");
  return out;
}

enum class Salt { none, some };

// `hash` is octets in base64.
Result<std::string> read_digest(std::string_view hash, const EVP_MD* kind, Salt salt) {
  const auto octets = static_cast<std::size_t>(EVP_MD_get_size(kind));
  const Result<std::string> decoded = base64_decode(hash);
  const bool fits =
      decoded && (salt == Salt::none ? decoded->size() == octets
                                     : decoded->size() > octets && decoded->size() <= octets + digest_salt_octets_max);
  if (!fits) {
    return failure(ErrorKind::cannot, "The hash is not " + std::to_string(octets) + " octets" +
                                          (salt == Salt::some ? " and a salt" : "") + " in base64");
  }
  return std::string(hash);
}

Result<bool> verify_digest(const Secret& password, std::string_view hash, const EVP_MD* kind) {
  const Result<std::string> kept = base64_decode(hash);
  const auto octets = static_cast<std::size_t>(EVP_MD_get_size(kind));
  if (!kept || kept->size() < octets) {
    return failure(ErrorKind::corruption, "The password cannot be checked now", "the digest is malformed");
  }
  const std::string_view all = *kept;
  return are_equal(digest(kind, password.reveal(), all.substr(octets)), all.substr(0, octets));
}

Result<Secret> make_digest(const Secret& prepared, const EVP_MD* kind, RandomSource random) {
  const std::string salt = random_octets(made_salt_octets, random);
  return Secret(base64_encode(digest(kind, prepared.reveal(), salt) + salt));
}

}  // namespace

Result<std::string> read_ssha512(std::string_view hash) { return read_digest(hash, EVP_sha512(), Salt::some); }
Result<std::string> read_ssha256(std::string_view hash) { return read_digest(hash, EVP_sha256(), Salt::some); }
Result<std::string> read_ssha(std::string_view hash) { return read_digest(hash, EVP_sha1(), Salt::some); }
Result<std::string> read_sha512(std::string_view hash) { return read_digest(hash, EVP_sha512(), Salt::none); }
Result<std::string> read_sha256(std::string_view hash) { return read_digest(hash, EVP_sha256(), Salt::none); }
Result<std::string> read_sha(std::string_view hash) { return read_digest(hash, EVP_sha1(), Salt::none); }

Result<bool> verify_sha512(const Secret& password, std::string_view hash) {
  return verify_digest(password, hash, EVP_sha512());
}
Result<bool> verify_sha256(const Secret& password, std::string_view hash) {
  return verify_digest(password, hash, EVP_sha256());
}
Result<bool> verify_sha(const Secret& password, std::string_view hash) {
  return verify_digest(password, hash, EVP_sha1());
}

Result<Secret> make_ssha512(const Secret& prepared, const HashCost&, RandomSource random) {
  return make_digest(prepared, EVP_sha512(), random);
}
Result<Secret> make_ssha256(const Secret& prepared, const HashCost&, RandomSource random) {
  return make_digest(prepared, EVP_sha256(), random);
}

}  // namespace postkeep::auth
