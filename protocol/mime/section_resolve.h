// BODY[section] and BINARY[section] to bytes: which range of the message is meant. RFC 9051 §6.4.5.1.
// Called by FETCH. Reads no message: it answers in offsets and the caller reads those.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/mime/header_fields.h"
#include "protocol/mime/section.h"
#include "protocol/mime/structure.h"

namespace postkeep::mime {

// Where the octets of a section are. If `subset` is set, they are header_subset(bytes of range, fields, *subset);
// otherwise they are the bytes of the range as they lie.
struct SectionSource {
  ByteRange range;
  std::optional<FieldSubset> subset;
};

// nullopt where the message has no such part (FETCH then answers NIL). `root` is the message's own tree.
std::optional<SectionSource> resolve_section(const Part& root, const Section& section);

// The part with that number, for BINARY; the root for an empty path, nullptr where there is none.
// "1" of a message that is no multipart is the message's own body (the root).
const Part* find_part(const Part& root, std::span<const std::uint32_t> path);

// Convenience for messages in memory and header blocks already read: the octets of a section.
// `message` is the whole message that `root` was made from.
std::optional<std::string> section_bytes(std::string_view message, const Part& root, const Section& section);

}  // namespace postkeep::mime
