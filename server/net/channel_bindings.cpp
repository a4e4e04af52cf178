#include "server/net/channel_bindings.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <string>
#include <string_view>

namespace postkeep::server {

namespace {

constexpr std::string_view exporter_label = "EXPORTER-Channel-Binding";  // RFC 9266 §2
constexpr std::size_t exporter_octets = 32;

using Octets = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string text_of(const Octets& octets, std::size_t length) {
  return std::string(reinterpret_cast<const char*>(octets.data()), length);
}

std::string exported(SSL* tls) {
  Octets octets{};
  const int made = SSL_export_keying_material(tls, octets.data(), exporter_octets, exporter_label.data(),
                                              exporter_label.size(), nullptr, 0, 0);
  return made == 1 ? text_of(octets, exporter_octets) : std::string();
}

// The first Finished of the handshake: the client's, and when a session was resumed the server's.
std::string first_finished(SSL* tls) {
  Octets octets{};
  const std::size_t length = SSL_session_reused(tls) == 1 ? SSL_get_finished(tls, octets.data(), octets.size())
                                                          : SSL_get_peer_finished(tls, octets.data(), octets.size());
  return length <= octets.size() ? text_of(octets, length) : std::string();
}

// RFC 5929 §4.1: with the hash of the certificate's signature, SHA-256 instead of MD5 and SHA-1.
std::string certificate_hash(SSL* tls) {
  const X509* certificate = SSL_get_certificate(tls);
  int hash = NID_undef;
  if (certificate == nullptr || SSL_session_reused(tls) == 1 ||
      X509_get_signature_info(const_cast<X509*>(certificate), &hash, nullptr, nullptr, nullptr) != 1) {
    return {};
  }
  if (hash == NID_md5 || hash == NID_sha1 || hash == NID_md5_sha1) hash = NID_sha256;
  const EVP_MD* digest = hash == NID_undef ? nullptr : EVP_get_digestbynid(hash);  // Ed25519 has none
  Octets octets{};
  unsigned length = 0;
  if (digest == nullptr || X509_digest(certificate, digest, octets.data(), &length) != 1) return {};
  return text_of(octets, length);
}

}  // namespace

std::vector<auth::ChannelBinding> channel_bindings(ssl_st* tls) {
  std::vector<auth::ChannelBinding> bindings;
  if (tls == nullptr || SSL_in_init(tls) != 0) return bindings;
  const auto add = [&bindings](const char* type, std::string octets) {
    if (octets.empty()) return;
    auth::ChannelBinding binding;
    binding.type = type;
    binding.octets = std::move(octets);
    bindings.push_back(std::move(binding));
  };
  const int version = SSL_version(tls);
  if (version >= TLS1_3_VERSION) add("tls-exporter", exported(tls));
  if (version <= TLS1_2_VERSION && SSL_get_extms_support(tls) == 1) add("tls-unique", first_finished(tls));
  // Which certificate there is says nothing of the secrets: without an extended master secret no -PLUS is offered at
  // all.
  if (!bindings.empty()) add("tls-server-end-point", certificate_hash(tls));
  ERR_clear_error();
  return bindings;
}

}  // namespace postkeep::server
