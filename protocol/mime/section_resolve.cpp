#include "protocol/mime/section_resolve.h"

namespace postkeep::mime {
namespace {

// Part `number` of a message: of a multipart its child, of anything else the body itself is part 1.
const Part* part_of_message(const Part& message, std::uint32_t number) {
  if (!message.is_multipart()) return number == 1 ? &message : nullptr;
  return number >= 1 && number <= message.children.size() ? &message.children[number - 1] : nullptr;
}

// One step further down from a part that a number already named.
const Part* part_of_part(const Part& part, std::uint32_t number) {
  if (part.is_message()) return part_of_message(part.children.front(), number);
  return part.is_multipart() ? part_of_message(part, number) : nullptr;
}

SectionSource all_of(const ByteRange& range) {
  SectionSource source;
  source.range = range;
  return source;
}

std::optional<SectionSource> section_of_message(const Part& message, Section::Text text) {
  SectionSource source = all_of(message.header);
  switch (text) {
    case Section::Text::header:
      return source;
    case Section::Text::header_fields:
      source.subset = FieldSubset::listed;
      return source;
    case Section::Text::header_fields_not:
      source.subset = FieldSubset::not_listed;
      return source;
    case Section::Text::text:
      return all_of(message.body);
    case Section::Text::whole: {
      ByteRange whole;
      whole.begin = message.header.begin;
      whole.end = message.body.end;
      return all_of(whole);
    }
    case Section::Text::mime:
      break;  // n.MIME needs its n
  }
  return std::nullopt;
}

}  // namespace

const Part* find_part(const Part& root, std::span<const std::uint32_t> path) {
  if (path.empty()) return &root;
  const Part* part = part_of_message(root, path.front());
  for (const std::uint32_t number : path.subspan(1)) {
    if (part == nullptr) return nullptr;
    part = part_of_part(*part, number);
  }
  return part;
}

std::optional<SectionSource> resolve_section(const Part& root, const Section& section) {
  if (section.part.empty()) return section_of_message(root, section.text);
  const Part* part = find_part(root, section.part);
  if (part == nullptr) return std::nullopt;
  if (section.text == Section::Text::whole) return all_of(part->body);
  if (section.text == Section::Text::mime) return all_of(part->header);
  if (!part->is_message()) return std::nullopt;  // RFC 9051 §6.4.5.1: HEADER and TEXT are of messages alone
  return section_of_message(part->children.front(), section.text);
}

std::optional<std::string> section_bytes(std::string_view message, const Part& root, const Section& section) {
  const std::optional<SectionSource> source = resolve_section(root, section);
  if (!source || source->range.begin > message.size()) return std::nullopt;
  const std::string_view bytes = message.substr(source->range.begin, source->range.size());
  return source->subset ? header_subset(bytes, section.fields, *source->subset) : std::string(bytes);
}

}  // namespace postkeep::mime
