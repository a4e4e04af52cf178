#include "protocol/mime/binary_parts.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/base/base64.h"
#include "protocol/mime/header_fields.h"

namespace postkeep::mime {
namespace {

constexpr std::size_t line_octets = 57;                            // 76 characters (RFC 2045 §6.8)
constexpr std::size_t binary_buffer_octets = line_octets * 1'024;  // read at once

// Gives `sink` the octets of the range, a buffer at a time; every buffer but the last is full.
Outcome for_each_buffer(const OctetSource& source, ByteRange range, const OctetSink& sink) {
  std::string buffer(static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), binary_buffer_octets)), '\0');
  std::size_t held = 0;
  for (std::uint64_t at = range.begin; at < range.end;) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size() - held, range.end - at));
    const std::size_t got = TRY(source(at, std::span(buffer).subspan(held, wanted)));
    if (got == 0) break;
    at += got;
    held += got;
    if (held < buffer.size()) continue;
    TRY(sink(buffer));
    held = 0;
  }
  if (held > 0) return sink(std::string_view(buffer).substr(0, held));
  return {};
}

Result<bool> has_nul(const OctetSource& source, ByteRange range) {
  bool found = false;
  TRY(for_each_buffer(source, range, [&](std::string_view octets) -> Outcome {
    found = found || octets.find('\0') != std::string_view::npos;
    return {};
  }));
  return found;
}

// The field that says "binary" in this header; an empty range where none is.
Result<BinaryPart> locate_field(const OctetSource& source, ByteRange header) {
  header.end = std::min<std::uint64_t>(header.end, header.begin + Limits{}.header_octets_max);
  std::string block;
  TRY(for_each_buffer(source, header, [&](std::string_view octets) -> Outcome {
    block += octets;
    return {};
  }));
  BinaryPart part;
  const std::vector<HeaderField> fields = read_header(block);
  const HeaderField* field = find_field(fields, "Content-Transfer-Encoding");
  if (!field) return part;
  part.field.begin = header.begin + static_cast<std::uint64_t>(field->whole.data() - block.data());
  part.field.end = part.field.begin + field->whole.size();
  part.base64_field = std::string(field->name) + ": base64" + (field->whole.ends_with("\r\n") ? "\r\n" : "\n");
  return part;
}

// `header`: of the nearest part that has one. The child that a multipart without delimiters is given has none.
Outcome collect(const OctetSource& source, const Part& part, ByteRange header, std::vector<BinaryPart>& out) {
  if (part.header.size() > 0) header = part.header;
  for (const Part& child : part.children) TRY(collect(source, child, header, out));
  if (!part.children.empty() || part.encoding_name != "binary") return {};
  const bool nul = TRY(has_nul(source, part.body));
  if (!nul) return {};
  BinaryPart found = TRY(locate_field(source, header));
  found.body = part.body;
  if (found.field.size() > 0) out.push_back(std::move(found));
  return {};
}

// Lines end with CRLF but for the last: what stands behind a part's body begins with the line end of its delimiter.
Outcome encode_body(const OctetSource& source, ByteRange body, const OctetSink& sink) {
  bool first = true;
  return for_each_buffer(source, body, [&](std::string_view octets) {
    std::string lines;
    for (std::size_t at = 0; at < octets.size(); at += line_octets) {
      if (!first) lines += "\r\n";
      first = false;
      lines += base64_encode(octets.substr(at, line_octets));
    }
    return sink(lines);
  });
}

constexpr std::uint64_t to_the_end = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Result<std::vector<BinaryPart>> find_binary_parts(const OctetSource& source) {
  StructureParser parser;
  TRY(for_each_buffer(source, ByteRange{0, to_the_end}, [&](std::string_view octets) -> Outcome {
    parser.feed(octets);
    return {};
  }));
  std::vector<BinaryPart> parts;
  TRY(collect(source, parser.finish(), ByteRange{0, 0}, parts));
  return parts;
}

Outcome encode_binary_parts(const OctetSource& source, const std::vector<BinaryPart>& parts, const OctetSink& sink) {
  std::uint64_t at = 0;
  for (const BinaryPart& part : parts) {
    TRY(for_each_buffer(source, ByteRange{at, part.field.begin}, sink));
    TRY(sink(part.base64_field));
    TRY(for_each_buffer(source, ByteRange{part.field.end, part.body.begin}, sink));
    TRY(encode_body(source, part.body, sink));
    at = part.body.end;
  }
  return for_each_buffer(source, ByteRange{at, to_the_end}, sink);
}

}  // namespace postkeep::mime
