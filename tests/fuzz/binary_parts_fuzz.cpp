// Parts with NUL in base64: none is left that has one, the data is the same, and a second time changes nothing.
#include "protocol/mime/binary_parts.h"

#include "protocol/mime/transfer_decode.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;
using namespace postkeep::mime;

namespace {

OctetSource source_of(std::string_view message) {
  return [message](std::uint64_t offset, std::span<char> buffer) -> Result<std::size_t> {
    if (offset >= message.size()) return std::size_t{0};
    return message.copy(buffer.data(), buffer.size(), static_cast<std::size_t>(offset));
  };
}

std::string decoded_leaves(std::string_view message, const Part& part) {
  if (part.children.empty()) {
    const TransferEncoding encoding = part.encoding();
    return decode_body(encoding, message.substr(part.body.begin, part.body.size())) + '\n';
  }
  std::string all;
  for (const Part& child : part.children) all += decoded_leaves(message, child);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message = fuzz::text_of(data, size);
  const auto parts = find_binary_parts(source_of(message));
  fuzz::require(parts.has_value());
  std::string encoded;
  const auto append = [&](std::string_view octets) -> Outcome {
    encoded += octets;
    return {};
  };
  fuzz::require(encode_binary_parts(source_of(message), *parts, append).has_value());
  if (parts->empty()) {
    fuzz::require(encoded == message);
    return 0;
  }
  const auto left = find_binary_parts(source_of(encoded));
  fuzz::require(left.has_value() && left->empty());
  fuzz::require(decoded_leaves(encoded, parse_structure(encoded)) == decoded_leaves(message, parse_structure(message)));
  return 0;
}
