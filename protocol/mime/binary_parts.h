// Parts of a message whose data has NUL octets as it lies there, and the same message with those parts in base64: mail
// programs that know no BINARY are to be shown an encoding that IMAP without it can send. RFC 3516 §6.
// Called by storage for what came as a literal8. Memory is bounded, whatever the size of the message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mime/structure.h"

namespace postkeep::mime {

// A part with the Content-Transfer-Encoding "binary" and a NUL in its body. A value.
struct BinaryPart {
  ByteRange field;           // Content-Transfer-Encoding with its line end
  std::string base64_field;  // what is to stand there instead
  ByteRange body;
  bool operator==(const BinaryPart&) const = default;
};

// Reads octets of the message from `offset` into the buffer; how many, 0 at the end. May be called out of order.
using OctetSource = std::function<Result<std::size_t>(std::uint64_t offset, std::span<char> buffer)>;
using OctetSink = std::function<Outcome(std::string_view octets)>;

// In the message's order. A NUL in a header, or in a part that says no "binary", is none of it: no encoding of RFC 2045
// could be meant there. Errors: those of `source`.
Result<std::vector<BinaryPart>> find_binary_parts(const OctetSource& source);

// Gives the message with `parts`, which are those of find_binary_parts, in base64 and all else untouched.
// Errors: those of `source` and `sink`.
Outcome encode_binary_parts(const OctetSource& source, const std::vector<BinaryPart>& parts, const OctetSink& sink);

}  // namespace postkeep::mime
