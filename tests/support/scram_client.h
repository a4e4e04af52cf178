// The client's side of SCRAM, written from RFC 5802 §3 alone, so that a test compares two readings of it.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <string_view>

#include "auth/scram_keys.h"
#include "protocol/base/secret.h"

namespace postkeep::test {

inline const EVP_MD* scram_digest(auth::ScramHash hash) {
  return hash == auth::ScramHash::sha_1 ? EVP_sha1() : EVP_sha256();
}

inline std::string scram_hmac(auth::ScramHash hash, std::string_view key, std::string_view message) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(scram_digest(hash))), '\0');
  HMAC(scram_digest(hash), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

// ClientProof := ClientKey XOR HMAC(H(ClientKey), AuthMessage). Hash, salt and iterations are those of `keys`.
inline std::string scram_proof(const Secret& password, const auth::ScramKeys& keys, std::string_view auth_message) {
  const EVP_MD* digest = scram_digest(keys.hash);
  std::string salted(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
  PKCS5_PBKDF2_HMAC(password.reveal().data(), static_cast<int>(password.reveal().size()),
                    reinterpret_cast<const unsigned char*>(keys.salt.data()), static_cast<int>(keys.salt.size()),
                    static_cast<int>(keys.iterations), digest, static_cast<int>(salted.size()),
                    reinterpret_cast<unsigned char*>(salted.data()));
  std::string proof = scram_hmac(keys.hash, salted, "Client Key");
  std::string stored(proof.size(), '\0');
  EVP_Digest(proof.data(), proof.size(), reinterpret_cast<unsigned char*>(stored.data()), nullptr, digest, nullptr);
  const std::string signature = scram_hmac(keys.hash, stored, auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  return proof;
}

}  // namespace postkeep::test
