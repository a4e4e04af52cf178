// The client's side of SCRAM-SHA-256, written from RFC 5802 §3 alone, so that a test compares two readings of it.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <string>
#include <string_view>

#include "auth/scram_keys.h"
#include "protocol/base/secret.h"

namespace postkeep::test {

inline std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

// ClientProof := ClientKey XOR HMAC(H(ClientKey), AuthMessage). Salt and iterations are those of `keys`.
inline std::string scram_proof(const Secret& password, const auth::ScramKeys& keys, std::string_view auth_message) {
  std::string salted(SHA256_DIGEST_LENGTH, '\0');
  PKCS5_PBKDF2_HMAC(password.reveal().data(), static_cast<int>(password.reveal().size()),
                    reinterpret_cast<const unsigned char*>(keys.salt.data()), static_cast<int>(keys.salt.size()),
                    static_cast<int>(keys.iterations), EVP_sha256(), SHA256_DIGEST_LENGTH,
                    reinterpret_cast<unsigned char*>(salted.data()));
  std::string proof = hmac_sha256(salted, "Client Key");
  std::string stored(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(proof.data()), proof.size(),
         reinterpret_cast<unsigned char*>(stored.data()));
  const std::string signature = hmac_sha256(stored, auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  return proof;
}

}  // namespace postkeep::test
