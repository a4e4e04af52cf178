// The header of the PROXY protocol: who has connected to the program in front of us (HAProxy's proxy-protocol.txt of
// 2020, "The PROXY protocol, versions 1 & 2"; §2.1 the text form, §2.2 the binary one). Read by runtime/session_host on
// listeners that are marked for it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/net/ip_address.h"

namespace postkeep::proxy {

// One end of the client's connection.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};

struct Header {
  // Of the client and of where it connected to. Both or none: none when the program in front speaks for itself (LOCAL,
  // a health check), does not know (UNKNOWN), or took the client in on a Unix socket.
  std::optional<Endpoint> source, destination;
  bool local = false;
};

struct ParsedHeader {
  Header header;
  std::size_t size = 0;  // octets that it took; what follows is the client's
};

// §2.1: "a buffer of 108 bytes is always enough", with a final zero.
inline constexpr std::size_t text_header_octets_max = 107;
// §2.2 allows 64 KiB behind the first 16 octets. Additions (TLVs) with a client's certificate take some hundred.
inline constexpr std::size_t binary_header_octets_max = 4096;

// The header at the beginning of `bytes`; nothing if more is needed to tell, up to the limits above. Additions are
// skipped, but a CRC32C among them (§2.2.4) must be right. Errors: bad_syntax, as soon as it cannot become a header any
// more.
Result<std::optional<ParsedHeader>> parse_header(std::string_view bytes);

}  // namespace postkeep::proxy
