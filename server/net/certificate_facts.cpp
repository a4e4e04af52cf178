#include "server/net/certificate_facts.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "protocol/base/ascii.h"

namespace postkeep::server {
namespace {

std::string text_of(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                     static_cast<std::size_t>(ASN1_STRING_length(string)));
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> names;
  const auto free_names = [](GENERAL_NAMES* some) { GENERAL_NAMES_free(some); };
  const std::unique_ptr<GENERAL_NAMES, decltype(free_names)> found(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)), free_names);
  for (int i = 0; found != nullptr && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type == GEN_DNS) names.push_back(ascii::to_lower(text_of(name->d.dNSName)));
  }
  return names;
}

std::vector<std::string> common_name_of(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return {};
  return {ascii::to_lower(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place))))};
}

void add_choice(CertificateChoice& choice, const std::vector<CertificateFacts>& all, std::size_t index) {
  const bool has_kind =
      std::ranges::any_of(choice, [&](std::size_t other) { return all[other].key_kind == all[index].key_kind; });
  if (!has_kind) choice.push_back(index);
}

}  // namespace

Result<CertificateFacts> read_certificate_facts(const std::string& file) {
  const auto close = [](std::FILE* open) { std::fclose(open); };
  const std::unique_ptr<std::FILE, decltype(close)> open(std::fopen(file.c_str(), "re"), close);
  if (open == nullptr) {
    return failure(ErrorKind::unavailable, "TLS is not available", "certificate " + file + ": " + std::strerror(errno));
  }
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_X509_AUX(open.get(), nullptr, nullptr, nullptr), X509_free);
  ERR_clear_error();
  if (certificate == nullptr) {
    return failure(ErrorKind::unavailable, "TLS is not available", "certificate " + file + ": there is none in it");
  }
  CertificateFacts facts;
  facts.names = alternative_names(certificate.get());
  if (facts.names.empty()) facts.names = common_name_of(certificate.get());
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  facts.key_kind = key == nullptr ? 0 : EVP_PKEY_get_base_id(key);
  return facts;
}

CertificateChoice default_certificates(const std::vector<CertificateFacts>& all) {
  CertificateChoice choice = {0};
  for (std::size_t i = 1; i < all.size(); ++i) {
    const bool has_all = std::ranges::all_of(all.front().names, [&](const std::string& name) {
      return std::ranges::find(all[i].names, name) != all[i].names.end();
    });
    if (has_all && !all.front().names.empty()) add_choice(choice, all, i);
  }
  return choice;
}

std::map<std::string, CertificateChoice> certificates_by_name(const std::vector<CertificateFacts>& all) {
  std::map<std::string, CertificateChoice> by_name;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::string& name : all[i].names) add_choice(by_name[name], all, i);
  }
  return by_name;
}

}  // namespace postkeep::server
