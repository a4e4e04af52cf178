// What is to be known of a certificate to choose among several: its names and the kind of its key; and the choice. Used
// by net/tls_context.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep::server {

struct CertificateFacts {
  std::vector<std::string> names;  // dNSName of the subjectAltName, or the common name without any; lower case
  int key_kind = 0;                // OpenSSL's EVP_PKEY_id: EVP_PKEY_RSA, EVP_PKEY_EC, ...
};

// Of the first certificate in a PEM file. Errors: unavailable (detail names the file).
Result<CertificateFacts> read_certificate_facts(const std::string& file);

// Certificates that stand side by side, by their places in the list: one for each kind of key, the first of several.
using CertificateChoice = std::vector<std::size_t>;
// For whoever asks for no name that is known: the first certificate, and those that have all its names.
CertificateChoice default_certificates(const std::vector<CertificateFacts>& all);
std::map<std::string, CertificateChoice> certificates_by_name(const std::vector<CertificateFacts>& all);

}  // namespace postkeep::server
