// The Content- fields of one header block to the description of a part. RFC 2045 §5 to §8, RFC 2183, RFC 3282,
// RFC 2557. Called by mime/structure alone.
#pragma once

#include <cstddef>
#include <span>

#include "protocol/mime/header_fields.h"
#include "protocol/mime/structure.h"

namespace postkeep::mime {

// What an entity without (readable) Content-Type is: RFC 2046 §5.1.5 makes it a message inside multipart/digest.
enum class DefaultType { text_plain, message_rfc822 };

// Sets type to location of `part`; offsets, envelope and children are left alone. Of repeated fields the first counts.
void read_entity_header(std::span<const HeaderField> fields, DefaultType default_type, Part& part);

// Octets of strings that the part's description and envelope hold, with some room for each object: what
// Limits::tree_octets_max counts.
std::size_t description_octets(const Part& part);
// At least as many as description_octets counts for the envelope of these fields. Quicker than to make it.
std::size_t envelope_octets_max(std::span<const HeaderField> fields);
// Forgets all that description_octets counts, keeping type, subtype, encoding, offsets and an empty envelope.
void drop_description(Part& part);

}  // namespace postkeep::mime
