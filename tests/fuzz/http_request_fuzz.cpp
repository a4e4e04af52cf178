// The head of an HTTP request: what is given out keeps to the rules, and more bytes do not change a complete one.
#include "protocol/http/request.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto parsed = http::parse_request(bytes);
  if (!parsed || !parsed->has_value()) return 0;
  const http::Request& request = **parsed;
  require(request.path.starts_with('/') && request.path.find_first_of(" \r\n?") == std::string::npos);
  require(!request.method.empty() && request.method.find_first_of(" \r\n") == std::string::npos);
  const auto longer = http::parse_request(std::string(bytes) + "\r\nX: y\r\n\r\n");
  require(longer.has_value() && longer->has_value() && (*longer)->path == request.path);
  return 0;
}
