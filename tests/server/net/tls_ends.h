// Both ends of a TLS connection in one thread, over memory, and certificates for clients made on the spot.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "server/net/tls_context.h"

namespace postkeep::test {

template <auto free_it>
struct FreeWith {
  template <class T>
  void operator()(T* it) const {
    free_it(it);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using SslPtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;

// A certificate with its key. `issuer` signs it; without one it signs itself and may sign others.
struct MadeCertificate {
  KeyPtr key{EVP_EC_gen("P-256")};
  X509Ptr certificate{X509_new()};

  explicit MadeCertificate(const std::string& common_name, const std::string& alt_names = {},
                           const MadeCertificate* issuer = nullptr) {
    X509* const made = certificate.get();
    X509_set_version(made, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "O", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>("Example"), -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(issuer != nullptr ? issuer->certificate.get() : made));
    if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
    if (!alt_names.empty()) extend(NID_subject_alt_name, alt_names);
    X509_sign(made, issuer != nullptr ? issuer->key.get() : key.get(), EVP_sha256());
  }
  // PEM, for tls.client_ca.
  void write(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr || PEM_write_X509(file, certificate.get()) != 1) throw std::runtime_error("cannot write PEM");
    std::fclose(file);
  }

 private:
  void extend(int what, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, nullptr, what, value.c_str());
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
};

// A handshake between a context of ours and a client.
struct TlsEnds {
  SslCtxPtr client_context{SSL_CTX_new(TLS_client_method())};
  SslPtr server, client;

  // `version`: of TLS; `session`: to be resumed, may be null.
  TlsEnds(const server::TlsContext& context, int version, const MadeCertificate* own = nullptr,
          SSL_SESSION* session = nullptr, unsigned long options = 0) {
    SSL_CTX_set_min_proto_version(client_context.get(), version);
    SSL_CTX_set_max_proto_version(client_context.get(), version);
    SSL_CTX_set_options(client_context.get(), options);
    if (own != nullptr) {
      SSL_CTX_use_certificate(client_context.get(), own->certificate.get());
      SSL_CTX_use_PrivateKey(client_context.get(), own->key.get());
    }
    server.reset(SSL_new(context.native()));
    client.reset(SSL_new(client_context.get()));
    if (session != nullptr) SSL_set_session(client.get(), session);
    BIO *near = nullptr, *far = nullptr;
    BIO_new_bio_pair(&near, 0, &far, 0);
    SSL_set_bio(server.get(), near, near);
    SSL_set_bio(client.get(), far, far);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    for (int i = 0; i < 20 && (SSL_in_init(server.get()) != 0 || SSL_in_init(client.get()) != 0); ++i) {
      SSL_do_handshake(client.get());
      SSL_do_handshake(server.get());
    }
    ERR_clear_error();
  }
  bool is_up() const { return SSL_is_init_finished(server.get()) != 0 && SSL_is_init_finished(client.get()) != 0; }
  // What the client may resume, tickets of TLS 1.3 included: these come with the first octets.
  SessionPtr session() const {
    SSL_write(server.get(), "x", 1);
    char octet = 0;
    SSL_read(client.get(), &octet, 1);
    return SessionPtr(SSL_get1_session(client.get()));
  }
};

}  // namespace postkeep::test
