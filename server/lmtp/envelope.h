// What MAIL and RCPT said, and the fields of a message that come of it. Used by lmtp/commands and lmtp/delivery.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "protocol/lmtp/parameters.h"
#include "protocol/lmtp/path.h"
#include "protocol/lmtp/xclient.h"
#include "server/runtime/services.h"

namespace postkeep::server {

// Of one RCPT that was answered with 250. The DSN parameters are not here: see docs/coverage.md.
struct EnvelopeRecipient {
  lmtp::Path address;                    // as RCPT had it
  std::vector<auth::Recipient> targets;  // whom it means: at least one, several only of an alias
};

// A value.
struct Envelope {
  std::string client_name;  // of LHLO, or of XCLIENT
  lmtp::XClient client;     // of XCLIENT: stands in Received instead of the peer
  lmtp::Path from;
  std::uint64_t size = 0;  // of the message, as MAIL told it; 0: not told
  lmtp::BodyType body = lmtp::BodyType::seven_bit;
  bool smtputf8 = false;
  std::vector<EnvelopeRecipient> recipients;
};

// Return-Path, Delivered-To and Received, to stand before the message. RFC 5321 §4.4; the names of protocols are RFC
// 3848's and RFC 6531 §4.3's. Delivered-To and "for" are in a message for one user only: they would tell a hidden
// recipient's address to the others.
std::string trace_fields(const SessionContext& context, const Envelope& envelope);

}  // namespace postkeep::server
