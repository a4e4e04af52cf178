// The head of an HTTP/1.x request, for the one small service that we give by HTTP (server/metrics/endpoint). Strict:
// what a peer could mean in two ways is refused. RFC 9110, RFC 9112. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::http {

// The request line and all fields.
inline constexpr std::size_t head_octets_max = 8 * 1024;

struct Request {
  std::string method;  // as it was sent: methods are case-sensitive (RFC 9110 §9.1)
  std::string path;    // of the target, without its query; still percent-encoded
};

// Reads the head at the front of `bytes`. nullopt: its end has not arrived. Errors: bad_syntax; too_big, when the head
// is longer than head_octets_max.
Result<std::optional<Request>> parse_request(std::string_view bytes);

}  // namespace postkeep::http
