#include "server/net/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <new>
#include <utility>

#include "protocol/base/ascii.h"
#include "server/net/certificate_facts.h"
#include "server/net/client_certificates.h"

namespace postkeep::server {
namespace {

// RFC 7525bis (BCP 195, RFC 9325 §4.2) for TLS 1.2; TLS 1.3's own are all good.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// RFC 9325 §4.2 wants P-256 at least; no finite field, since nothing here offers DHE.
constexpr const char* groups = "X25519:P-256:P-384:P-521";

std::string last_openssl_error() {
  char text[256] = "unknown error";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

void fill_random(std::span<unsigned char> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::bad_alloc();
}

TicketKeys::Key make_key() {
  TicketKeys::Key key;
  fill_random(key.name);
  fill_random(key.cipher);
  fill_random(key.mac);
  return key;
}

using TicketKeysPtr = std::shared_ptr<TicketKeys>;

// The SSL_CTX owns a reference to its keys, since connections keep it longer than a TlsContext lives.
void free_ticket_keys(void*, void* keys, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<TicketKeysPtr*>(keys);
}

int ticket_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_ticket_keys);
  return index;
}

// OpenSSL's contract (SSL_CTX_set_tlsext_ticket_key_evp_cb): sealing 1; opening 0 unknown key, 1 fine,
// 2 fine and send a new ticket; -1 error.
int ticket_callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    int sealing) {
  const auto* held = static_cast<TicketKeysPtr*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ticket_index()));
  if (held == nullptr) return -1;
  TicketKeys* keys = held->get();
  TicketKeys::Key key;
  TicketKeys::Age age = TicketKeys::Age::current;
  if (sealing != 0) {
    key = keys->current();
    std::copy(key.name.begin(), key.name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  } else {
    age = keys->find(std::span<const unsigned char>(name, TicketKeys::name_bytes), key);
    if (age == TicketKeys::Age::unknown) return 0;
  }
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
                             OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
                             OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, sealing) != 1) return -1;
  return age == TicketKeys::Age::previous ? 2 : 1;
}

}  // namespace

TicketKeys::TicketKeys(std::chrono::seconds period, Clock clock)
    : period_(period), clock_(std::move(clock)), current_(make_key()), made_(clock_()) {}

TicketKeys::Key TicketKeys::current() {
  const std::lock_guard lock(mutex_);
  rotate_if_due();
  return current_;
}

TicketKeys::Age TicketKeys::find(std::span<const unsigned char> name, Key& key) {
  const std::lock_guard lock(mutex_);
  rotate_if_due();
  const auto is = [name](const Key& candidate) { return std::ranges::equal(candidate.name, name); };
  if (is(current_)) {
    key = current_;
    return Age::current;
  }
  if (has_previous_ && is(previous_)) {
    key = previous_;
    return Age::previous;
  }
  return Age::unknown;
}

void TicketKeys::rotate_if_due() {
  const auto now = clock_();
  if (now - made_ < period_) return;
  // Nobody asked for more than a whole period: the current key is as old as a previous one may be.
  has_previous_ = now - made_ < 2 * period_;
  previous_ = has_previous_ ? current_ : Key();
  current_ = make_key();
  made_ = now;
}

void SslCtxFree::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, SslCtxFree>;

// What holds for every context, whatever its certificates.
Result<ContextPtr> make_context(TlsMinimum minimum, const std::shared_ptr<TicketKeys>& tickets,
                                const std::string& client_authorities) {
  ContextPtr made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = made.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context, minimum == TlsMinimum::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection keeps no record buffers; a write may take a part, and be repeated from another place.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_cipher_list(context, tls12_ciphers) != 1 || SSL_CTX_set1_groups_list(context, groups) != 1) {
    return failure(ErrorKind::unavailable, "TLS is not available", "ciphers: " + last_openssl_error());
  }
  // Sessions live in their tickets; a cache here would be memory for each client ever seen.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char context_id[] = "postkeep";
  SSL_CTX_set_session_id_context(context, context_id, sizeof context_id - 1);
  SSL_CTX_set_timeout(context, static_cast<long>(tickets->period().count()));
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_ex_data(context, ticket_index(), new TicketKeysPtr(tickets));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_callback);
  if (!client_authorities.empty()) TRY(ask_for_certificates(context, client_authorities));
  return made;
}

Outcome use_certificate(SSL_CTX* context, const CertificateFiles& files) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    return failure(ErrorKind::unavailable, "TLS is not available",
                   "certificate " + files.certificate + ": " + last_openssl_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return failure(ErrorKind::unavailable, "TLS is not available",
                   "private key " + files.private_key + ": " + last_openssl_error());
  }
  return {};
}

int on_server_name(SSL* ssl, int*, void* tls_context) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) SSL_set_SSL_CTX(ssl, static_cast<const TlsContext*>(tls_context)->for_name(name));
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::vector<CertificateFiles>& certificates,
                                                           TlsMinimum minimum, std::shared_ptr<TicketKeys> tickets,
                                                           const std::string& client_authorities) {
  std::vector<CertificateFacts> facts;
  for (const CertificateFiles& files : certificates) facts.push_back(TRY(read_certificate_facts(files.certificate)));
  std::shared_ptr<TlsContext> made(new TlsContext());
  std::map<CertificateChoice, ssl_ctx_st*> made_for;  // names with the same certificates share a context
  const auto context_for = [&](const CertificateChoice& choice) -> Result<ssl_ctx_st*> {
    if (const auto found = made_for.find(choice); found != made_for.end()) return found->second;
    ContextPtr context = TRY(make_context(minimum, tickets, client_authorities));
    for (const std::size_t index : choice) TRY(use_certificate(context.get(), certificates[index]));
    ssl_ctx_st* const plain = context.get();
    made->contexts_.push_back(std::move(context));
    made_for[choice] = plain;
    return plain;
  };
  SSL_CTX* first = TRY(context_for(default_certificates(facts)));
  SSL_CTX_set_tlsext_servername_callback(first, on_server_name);
  SSL_CTX_set_tlsext_servername_arg(first, made.get());
  for (const auto& [name, choice] : certificates_by_name(facts)) made->by_name_[name] = TRY(context_for(choice));
  return std::shared_ptr<const TlsContext>(std::move(made));
}

ssl_ctx_st* TlsContext::for_name(std::string_view name) const {
  std::string wanted = ascii::to_lower(name);
  if (wanted.ends_with('.')) wanted.pop_back();
  auto found = by_name_.find(wanted);
  // RFC 6125 §6.4.3: a wildcard is the whole first label.
  if (found == by_name_.end() && wanted.find('.') != std::string::npos) {
    found = by_name_.find("*" + wanted.substr(wanted.find('.')));
  }
  return found == by_name_.end() ? native() : found->second;
}

TlsStore::TlsStore(std::shared_ptr<TicketKeys> tickets) : tickets_(std::move(tickets)) {}

Outcome TlsStore::load(const std::vector<CertificateFiles>& certificates, TlsMinimum minimum,
                       const std::string& client_authorities) {
  auto loaded = TRY(TlsContext::load(certificates, minimum, tickets_, client_authorities));
  const std::lock_guard lock(mutex_);
  current_ = std::move(loaded);
  return {};
}

std::shared_ptr<const TlsContext> TlsStore::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace postkeep::server
