// Section: which bytes of a message BODY[...] and BINARY[...] name. RFC 9051 §6.4.5, §6.4.5.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postkeep::mime {

// A value, as the client wrote it.
struct Section {
  enum class Text {
    whole,              // BODY[] or BODY[1.2]: the message, or the body of the part
    header,             // HEADER of the message, or of the message/rfc822 in the part
    header_fields,      // HEADER.FIELDS (...)
    header_fields_not,  // HEADER.FIELDS.NOT (...)
    text,               // TEXT
    mime,               // n.MIME: the header of the part itself
  };
  std::vector<std::uint32_t> part;  // 1-based part path; empty for the message itself
  Text text = Text::whole;
  std::vector<std::string> fields;  // names as written, for header_fields and header_fields_not
  bool operator==(const Section&) const = default;
};

// "<offset.count>" of a FETCH: octets; count is at least 1.
struct Partial {
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  bool operator==(const Partial&) const = default;
};

}  // namespace postkeep::mime
