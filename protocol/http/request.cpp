#include "protocol/http/request.h"

#include <algorithm>

namespace postkeep::http {
namespace {

// RFC 9110 §5.6.2
bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  const auto is_tchar = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, is_tchar);
}

bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

// RFC 9112 §3; of the forms of a target only the origin form.
Result<Request> parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return failure(ErrorKind::bad_syntax, "Not an HTTP request");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return failure(ErrorKind::bad_syntax, "Not HTTP/1.1");
  if (!is_token(method)) return failure(ErrorKind::bad_syntax, "Malformed method");
  if (!target.starts_with('/') || !std::ranges::all_of(target, is_visible)) {
    return failure(ErrorKind::bad_syntax, "Malformed target");
  }
  return Request{std::string(method), std::string(target.substr(0, target.find('?')))};
}

// RFC 9112 §5; folded lines are refused as §5.2 has it.
Outcome check_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return failure(ErrorKind::bad_syntax, "Malformed header field");
  }
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; };
  if (std::ranges::any_of(line.substr(colon), is_control)) {
    return failure(ErrorKind::bad_syntax, "Malformed header field");
  }
  return {};
}

}  // namespace

Result<std::optional<Request>> parse_request(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, head_octets_max).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= head_octets_max) return failure(ErrorKind::too_big, "The request is too large");
    return std::optional<Request>();
  }
  std::string_view rest = bytes.substr(0, end);
  const auto next_line = [&rest] {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    return line;
  };
  Request request = TRY(parse_request_line(next_line()));
  while (!rest.empty()) TRY(check_field(next_line()));
  return std::optional<Request>(std::move(request));
}

}  // namespace postkeep::http
