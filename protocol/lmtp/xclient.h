// XCLIENT: a program in front of us tells who its client is. Postfix's XCLIENT_README has the protocol; values are
// xtext (RFC 3461 §4). Called by lmtp/command.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/net/ip_address.h"

namespace postkeep::lmtp {

// The attributes that may be named, as LHLO tells them.
inline constexpr std::string_view xclient_attributes = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

// A value. What is not told, or is [UNAVAILABLE] or [TEMPUNAVAIL], is none. The attributes that are not here are
// checked and left out: nothing is made of them.
struct XClient {
  std::optional<std::string> name = std::nullopt;  // of the client's address, by DNS
  std::optional<std::string> helo = std::nullopt;  // as the client called itself
  std::optional<IpAddress> address = std::nullopt;
  bool operator==(const XClient&) const = default;
};

// "NAME=spike.example.org ADDR=192.0.2.1". Errors: bad_syntax.
Result<XClient> parse_xclient(std::string_view arguments);

}  // namespace postkeep::lmtp
