// The octets by which both ends of a TLS connection know that nobody stands between them (RFC 5056), for SCRAM's -PLUS
// mechanisms. Asked by runtime/login when mechanisms are offered or begun.
#pragma once

#include <vector>

#include "auth/mechanisms.h"

struct ssl_st;

namespace postkeep::server {

// Of a connection whose handshake is over; nullptr has none.
//   tls-exporter          RFC 9266: TLS 1.3
//   tls-unique            RFC 5929 §3: TLS 1.2, and only with an extended master secret (RFC 7627), since without one
//                         two connections can have the same (RFC 9266 §1)
//   tls-server-end-point  RFC 5929 §4: the hash of our certificate, where its signature has one; of a resumed session
//                         nobody knows which certificate it began with
std::vector<auth::ChannelBinding> channel_bindings(ssl_st* tls);

}  // namespace postkeep::server
