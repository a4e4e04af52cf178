#include "server/net/client_certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <string_view>

#include "protocol/base/hex.h"

namespace postkeep::server {

namespace {

constexpr std::size_t names_max = 64;  // that are read of one certificate, of each kind
constexpr int chain_length_max = 8;

// What does not verify is remembered (SSL_get_verify_result), and the handshake goes on.
int go_on(int, X509_STORE_CTX*) { return 1; }

Outcome unreadable(const std::string& file) {
  char text[256] = "no certificates";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return failure(ErrorKind::unavailable, "TLS is not available", "client_ca " + file + ": " + text);
}

std::string utf8_of(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, string);
  if (length < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(length));
  OPENSSL_free(utf8);
  // "alice\0.example.org" is nobody.
  return text.find('\0') == std::string::npos ? text : std::string();
}

void add_name(std::vector<std::string>& names, std::string name) {
  if (!name.empty() && names.size() < names_max) names.push_back(std::move(name));
}

std::vector<std::string> common_names(const X509_NAME* subject) {
  std::vector<std::string> names;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    add_name(names, utf8_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return names;
}

// RFC 5280 §4.2.1.6 rfc822Name. An address in the subject (§4.1.2.6) is not believed.
std::vector<std::string> emails(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_EMAIL) add_name(names, utf8_of(name->d.rfc822Name));
  }
  return names;
}

std::string whole_name(const X509_NAME* name) {
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (!out) throw std::bad_alloc();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), octets.data(), &length) != 1) return {};
  return to_hex(std::span(octets).first(length));
}

// 32 octets that are others when the authorities are.
std::string digest_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), octets.data(), &length, EVP_sha256(), nullptr);
  return std::string(reinterpret_cast<const char*>(octets.data()), length);
}

}  // namespace

Outcome ask_for_certificates(ssl_ctx_st* context, const std::string& authorities) {
  ERR_clear_error();
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(authorities.c_str());
  if (names == nullptr) return unreadable(authorities);
  SSL_CTX_set_client_CA_list(context, names);  // takes them
  if (SSL_CTX_load_verify_file(context, authorities.c_str()) != 1) return unreadable(authorities);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, go_on);
  SSL_CTX_set_verify_depth(context, chain_length_max);
  const std::string id = digest_of_file(authorities);
  if (SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(id.data()),
                                     static_cast<unsigned>(id.size())) != 1) {
    return unreadable(authorities);
  }
  return {};
}

std::optional<auth::CertificateNames> client_certificate(ssl_st* tls) {
  if (tls == nullptr || SSL_in_init(tls) != 0) return std::nullopt;
  const X509* certificate = SSL_get0_peer_certificate(tls);
  if (certificate == nullptr || SSL_get_verify_result(tls) != X509_V_OK) return std::nullopt;
  auth::CertificateNames names;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  names.subject = whole_name(subject);
  names.fingerprint = fingerprint(certificate);
  names.common_names = common_names(subject);
  names.emails = emails(certificate);
  ERR_clear_error();
  return names;
}

std::string client_certificate_problem(ssl_st* tls) {
  if (tls == nullptr || SSL_in_init(tls) != 0 || SSL_get0_peer_certificate(tls) == nullptr) return {};
  const long result = SSL_get_verify_result(tls);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace postkeep::server
