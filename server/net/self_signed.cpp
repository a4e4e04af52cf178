// The certificate of a server that was given none: enough for a first try, and to be replaced.
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "server/net/tls_context.h"

namespace postkeep::server {
namespace {

constexpr long valid_seconds = 10L * 365 * 24 * 3600;
constexpr long backdated_seconds = 3600;  // for clients whose clocks are behind

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

bool add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

CertificatePtr make_certificate(EVP_PKEY* key, const std::string& hostname) {
  CertificatePtr certificate(X509_new(), X509_free);
  X509* c = certificate.get();
  unsigned char serial[16];
  if (c == nullptr || RAND_bytes(serial, sizeof serial) != 1) return {nullptr, X509_free};
  serial[0] &= 0x7f;  // positive (RFC 5280 §4.1.2.2)
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial, sizeof serial, nullptr), BN_free);
  X509_set_version(c, X509_VERSION_3);
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) == nullptr) return {nullptr, X509_free};
  X509_gmtime_adj(X509_getm_notBefore(c), -backdated_seconds);
  X509_gmtime_adj(X509_getm_notAfter(c), valid_seconds);
  X509_set_pubkey(c, key);
  X509_NAME* name = X509_get_subject_name(c);
  // A common name has 64 characters at most; the name that clients check is the extension's.
  const std::string common_name = hostname.substr(0, 64);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_set_issuer_name(c, name);
  std::string names = "DNS:" + hostname;
  if (hostname != "localhost") names += ",DNS:localhost";
  names += ",IP:127.0.0.1,IP:::1";
  if (!add_extension(c, NID_subject_alt_name, names) || !add_extension(c, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(c, NID_ext_key_usage, "serverAuth") || X509_sign(c, key, EVP_sha256()) == 0) {
    return {nullptr, X509_free};
  }
  return certificate;
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Outcome io_failure(const char* what, const std::string& path) {
  return failure(ErrorKind::unavailable, "TLS is not available",
                 std::string(what) + ' ' + path + ": " + std::strerror(errno));
}

// Not durable on purpose: what a power cut leaves half made is made again.
Outcome write_private_file(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return io_failure("create", temporary);
  const ssize_t written = ::write(file, content.data(), content.size());
  const bool complete = written == static_cast<ssize_t>(content.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!complete || ::rename(temporary.c_str(), path.c_str()) != 0) return io_failure("write", path);
  return {};
}

}  // namespace

Result<CertificateFiles> ensure_self_signed(const std::string& directory, const std::string& hostname) {
  const CertificateFiles files{directory + "/self-signed.crt", directory + "/self-signed.key"};
  if (::access(files.certificate.c_str(), R_OK) == 0 && ::access(files.private_key.c_str(), R_OK) == 0) return files;
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return tl::unexpected<Error>(io_failure("mkdir", directory).error());
  }
  const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const CertificatePtr certificate = key ? make_certificate(key.get(), hostname) : CertificatePtr(nullptr, X509_free);
  const BioPtr key_pem(BIO_new(BIO_s_mem()), BIO_free_all);
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()), BIO_free_all);
  if (!certificate || PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failure(ErrorKind::unavailable, "TLS is not available", "cannot make a certificate for " + hostname);
  }
  // The key first: whoever finds the certificate finds its key.
  TRY(write_private_file(files.private_key, contents(key_pem.get())));
  TRY(write_private_file(files.certificate, contents(certificate_pem.get())));
  return files;
}

}  // namespace postkeep::server
