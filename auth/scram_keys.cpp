#include "auth/scram_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "auth/limits.h"
#include "protocol/base/base64.h"
#include "protocol/base/take_until.h"

namespace postkeep::auth {

namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string_view text_of(const Sha256& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

Sha256 hmac(std::string_view key, std::string_view message) {
  Sha256 out{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(), out.data(),
           &length) == nullptr) {
    throw std::runtime_error("libcrypto cannot compute HMAC-SHA-256");
  }
  return out;
}

std::string encode(const Sha256& key) { return base64_encode(text_of(key)); }

Result<Sha256> decode_key(std::string_view text) {
  const Result<std::string> bytes = base64_decode(text);
  Sha256 key{};
  if (!bytes || bytes->size() != key.size()) {
    return failure(ErrorKind::cannot, "A SCRAM-SHA-256 hash has two keys of 32 octets in base64");
  }
  std::copy_n(bytes_of(*bytes), key.size(), key.begin());
  return key;
}

}  // namespace

ScramKeys derive_scram_keys(const Secret& password, std::string_view salt, std::uint32_t iterations) {
  ScramKeys keys;
  keys.iterations = iterations;
  keys.salt = std::string(salt);
  Sha256 salted{};
  if (PKCS5_PBKDF2_HMAC(password.reveal().data(), static_cast<int>(password.reveal().size()), bytes_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(salted.size()), salted.data()) != 1) {
    throw std::runtime_error("libcrypto cannot compute PBKDF2");
  }
  Sha256 client_key = hmac(text_of(salted), "Client Key");
  SHA256(client_key.data(), client_key.size(), keys.stored_key.data());
  keys.server_key = hmac(text_of(salted), "Server Key");
  OPENSSL_cleanse(salted.data(), salted.size());
  OPENSSL_cleanse(client_key.data(), client_key.size());
  return keys;
}

ScramKeys made_up_scram_keys(const Secret& server_secret, std::string_view name, std::uint32_t iterations) {
  const auto derived = [&](std::string_view what) {
    return hmac(server_secret.reveal(), std::string(what).append(name));
  };
  ScramKeys keys;
  keys.iterations = iterations;
  keys.salt = text_of(derived("salt of ")).substr(0, scram_salt_octets);
  keys.stored_key = derived("stored key of ");
  keys.server_key = derived("server key of ");
  return keys;
}

bool is_proof(const ScramKeys& keys, std::string_view signed_text, std::string_view proof) {
  Sha256 key = hmac(text_of(keys.stored_key), signed_text);
  if (proof.size() != key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= static_cast<unsigned char>(proof[i]);
  Sha256 stored{};
  SHA256(key.data(), key.size(), stored.data());
  OPENSSL_cleanse(key.data(), key.size());
  return CRYPTO_memcmp(stored.data(), keys.stored_key.data(), stored.size()) == 0;
}

std::string server_signature(const ScramKeys& keys, std::string_view signed_text) {
  return std::string(text_of(hmac(text_of(keys.server_key), signed_text)));
}

std::string to_text(const ScramKeys& keys) {
  return std::to_string(keys.iterations) + "," + base64_encode(keys.salt) + "," + encode(keys.stored_key) + "," +
         encode(keys.server_key);
}

Result<ScramKeys> scram_keys_from_text(std::string_view text) {
  const bool has_dollars = text.starts_with('$');
  if (has_dollars) text.remove_prefix(1);
  ScramKeys keys;
  const std::string_view iterations = take_until(text, has_dollars ? ':' : ',');
  const auto [end, error] = std::from_chars(iterations.data(), iterations.data() + iterations.size(), keys.iterations);
  if (error != std::errc() || end != iterations.data() + iterations.size() || keys.iterations < scram_iterations_min ||
      keys.iterations > scram_iterations_max) {
    return failure(ErrorKind::cannot, "A SCRAM-SHA-256 hash has from " + std::to_string(scram_iterations_min) + " to " +
                                          std::to_string(scram_iterations_max) + " iterations");
  }
  Result<std::string> salt = base64_decode(take_until(text, has_dollars ? '$' : ','));
  if (!salt || salt->empty()) return failure(ErrorKind::cannot, "A SCRAM-SHA-256 hash has a salt in base64");
  keys.salt = std::move(*salt);
  keys.stored_key = TRY(decode_key(take_until(text, has_dollars ? ':' : ',')));
  keys.server_key = TRY(decode_key(text));
  return keys;
}

}  // namespace postkeep::auth
