#include "storage/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "protocol/base/ensure.h"
#include "protocol/base/hex.h"

namespace postkeep::storage {

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  auto* context = static_cast<EVP_MD_CTX*>(context_.get());
  ENSURE(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "libcrypto has SHA-256");
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  const int done = EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size());
  ENSURE(done == 1, "a running hash takes bytes");
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  const int done = EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), digest.data(), nullptr);
  ENSURE(done == 1, "a hash is finished once");
  return digest;
}

Sha256Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

void KeyedHash::Free::operator()(void* context) const { EVP_MAC_CTX_free(static_cast<EVP_MAC_CTX*>(context)); }

KeyedHash::KeyedHash(const Key& key) : key_(key) {
  EVP_MAC* const siphash = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  context_.reset(EVP_MAC_CTX_new(siphash));
  EVP_MAC_free(siphash);  // the context holds it
  ENSURE(context_ != nullptr, "libcrypto has SipHash");
}

Hash128 KeyedHash::of(std::string_view text) {
  auto* context = static_cast<EVP_MAC_CTX*>(context_.get());
  std::array<std::uint8_t, sizeof(Hash128)> octets{};
  std::size_t size = 0;
  const bool done = EVP_MAC_init(context, key_.data(), key_.size(), nullptr) == 1 &&
                    EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
                    EVP_MAC_final(context, octets.data(), &size, octets.size()) == 1 && size == octets.size();
  ENSURE(done, "SipHash takes any text");
  Hash128 hash;
  std::memcpy(&hash, octets.data(), octets.size());
  return hash;
}

std::string hex(const Sha256Digest& digest, std::size_t octets) {
  return to_hex(std::span(digest).first(std::min(octets, digest.size())));
}

}  // namespace postkeep::storage
