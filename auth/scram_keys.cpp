#include "auth/scram_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <stdexcept>

#include "auth/limits.h"
#include "protocol/base/base64.h"
#include "protocol/base/take_until.h"

namespace postkeep::auth {

namespace {

const EVP_MD* digest_of(ScramHash hash) { return hash == ScramHash::sha_1 ? EVP_sha1() : EVP_sha256(); }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string hmac(ScramHash hash, std::string_view key, std::string_view message) {
  std::string out(octets_of(hash), '\0');
  unsigned length = 0;
  if (HMAC(digest_of(hash), key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(), bytes_of(out),
           &length) == nullptr) {
    throw std::runtime_error("libcrypto cannot compute HMAC");
  }
  return out;
}

// H of RFC 5802 §2.2.
std::string hashed(ScramHash hash, std::string_view text) {
  std::string out(octets_of(hash), '\0');
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), bytes_of(out), &length, digest_of(hash), nullptr) != 1) {
    throw std::runtime_error("libcrypto cannot compute a digest");
  }
  return out;
}

Result<std::string> decode_key(std::string_view text, ScramHash hash) {
  Result<std::string> bytes = base64_decode(text);
  if (!bytes || bytes->size() != octets_of(hash)) {
    return failure(ErrorKind::cannot, "A " + std::string(mechanism_of(hash)) + " hash has two keys of " +
                                          std::to_string(octets_of(hash)) + " octets in base64");
  }
  return bytes;
}

}  // namespace

std::size_t octets_of(ScramHash hash) { return hash == ScramHash::sha_1 ? 20 : 32; }

std::string_view mechanism_of(ScramHash hash) { return hash == ScramHash::sha_1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256"; }

ScramKeys derive_scram_keys(const Secret& password, std::string_view salt, std::uint32_t iterations, ScramHash hash) {
  ScramKeys keys;
  keys.hash = hash;
  keys.iterations = iterations;
  keys.salt = std::string(salt);
  std::string salted(octets_of(hash), '\0');
  if (PKCS5_PBKDF2_HMAC(password.reveal().data(), static_cast<int>(password.reveal().size()), bytes_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), digest_of(hash),
                        static_cast<int>(salted.size()), bytes_of(salted)) != 1) {
    throw std::runtime_error("libcrypto cannot compute PBKDF2");
  }
  const Secret salted_password(std::move(salted));
  const Secret client_key(hmac(hash, salted_password.reveal(), "Client Key"));
  keys.stored_key = hashed(hash, client_key.reveal());
  keys.server_key = hmac(hash, salted_password.reveal(), "Server Key");
  return keys;
}

// Always by SHA-256, cut to what the hash has. What is asked for SHA-1 differs, or its salt would tell that both were
// made up of one thing.
ScramKeys made_up_scram_keys(const Secret& server_secret, std::string_view name, std::uint32_t iterations,
                             ScramHash hash) {
  const auto derived = [&](std::string_view what, std::size_t octets) {
    const std::string of = hash == ScramHash::sha_256 ? std::string(what) : "SHA-1 " + std::string(what);
    return hmac(ScramHash::sha_256, server_secret.reveal(), of + std::string(name)).substr(0, octets);
  };
  ScramKeys keys;
  keys.hash = hash;
  keys.iterations = iterations;
  keys.salt = derived("salt of ", scram_salt_octets);
  keys.stored_key = derived("stored key of ", octets_of(hash));
  keys.server_key = derived("server key of ", octets_of(hash));
  return keys;
}

bool is_proof(const ScramKeys& keys, std::string_view signed_text, std::string_view proof) {
  std::string key = hmac(keys.hash, keys.stored_key, signed_text);
  if (proof.size() != key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ proof[i]);
  const Secret client_key(std::move(key));
  const std::string stored = hashed(keys.hash, client_key.reveal());
  return stored.size() == keys.stored_key.size() &&
         CRYPTO_memcmp(stored.data(), keys.stored_key.data(), stored.size()) == 0;
}

std::string server_signature(const ScramKeys& keys, std::string_view signed_text) {
  return hmac(keys.hash, keys.server_key, signed_text);
}

std::string to_text(const ScramKeys& keys) {
  return std::to_string(keys.iterations) + "," + base64_encode(keys.salt) + "," + base64_encode(keys.stored_key) + "," +
         base64_encode(keys.server_key);
}

Result<ScramKeys> scram_keys_from_text(std::string_view text, ScramHash hash) {
  const std::string name(mechanism_of(hash));
  const bool has_dollars = text.starts_with('$');
  if (has_dollars) text.remove_prefix(1);
  ScramKeys keys;
  keys.hash = hash;
  const std::string_view iterations = take_until(text, has_dollars ? ':' : ',');
  const auto [end, error] = std::from_chars(iterations.data(), iterations.data() + iterations.size(), keys.iterations);
  if (error != std::errc() || end != iterations.data() + iterations.size() || keys.iterations < scram_iterations_min ||
      keys.iterations > scram_iterations_max) {
    return failure(ErrorKind::cannot, "A " + name + " hash has from " + std::to_string(scram_iterations_min) + " to " +
                                          std::to_string(scram_iterations_max) + " iterations");
  }
  Result<std::string> salt = base64_decode(take_until(text, has_dollars ? '$' : ','));
  if (!salt || salt->empty()) return failure(ErrorKind::cannot, "A " + name + " hash has a salt in base64");
  keys.salt = std::move(*salt);
  keys.stored_key = TRY(decode_key(take_until(text, has_dollars ? ':' : ','), hash));
  keys.server_key = TRY(decode_key(text, hash));
  return keys;
}

}  // namespace postkeep::auth
