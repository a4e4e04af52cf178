// parse_header: whatever it is, a header that is there is the same at every later octet, and none is found beyond the
// limits.
#include "protocol/proxy/header.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto whole = proxy::parse_header(bytes);
  if (whole && !*whole) fuzz::require(size < proxy::binary_header_octets_max);
  for (std::size_t cut = 0; cut < size && cut < 600; ++cut) {
    const auto part = proxy::parse_header(bytes.substr(0, cut));
    if (!part) {
      fuzz::require(!whole);  // what is bad stays bad
    } else if (*part) {
      fuzz::require(whole && *whole && (*whole)->size == (*part)->size && (*part)->size <= cut);
      fuzz::require((*whole)->header.source == (*part)->header.source);
    }
  }
  if (!whole || !*whole) return 0;
  const proxy::Header& header = (*whole)->header;
  fuzz::require(header.source.has_value() == header.destination.has_value());
  fuzz::require(!header.local || !header.source);
  if (header.source) fuzz::require(*IpAddress::parse(header.source->address.to_string()) == header.source->address);
  return 0;
}
