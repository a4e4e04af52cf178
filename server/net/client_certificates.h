// Certificates of clients: asking for them in the handshake (tls.client_ca), and what a verified one says of its owner
// (SASL EXTERNAL). Used by net/tls_context and runtime/login.
#pragma once

#include <optional>
#include <string>

#include "auth/certificate_names.h"
#include "protocol/base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace postkeep::server {

// From now on clients are asked for a certificate, which those in the PEM file `authorities` must have signed. None, or
// one that does not verify, ends no handshake: its owner may still log in otherwise. Tickets sealed under other
// authorities are not resumed, since a session keeps what was found when it began. Errors: unavailable.
Outcome ask_for_certificates(ssl_ctx_st* context, const std::string& authorities);

// Of a connection whose handshake is over. None: the client showed none, or none that verified; nullptr has none.
std::optional<auth::CertificateNames> client_certificate(ssl_st* tls);
// Why the certificate that the client showed does not count, for the log; "" if there is none, or it counts.
std::string client_certificate_problem(ssl_st* tls);

}  // namespace postkeep::server
