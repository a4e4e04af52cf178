// See fetch_sections.h.
#include "server/imap/fetch_sections.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/mime/preview.h"
#include "protocol/mime/section_resolve.h"
#include "server/metrics/metrics.h"

namespace postkeep::imap {

using mime::ByteRange;
using Kind = FetchItem::Kind;

namespace {

// RFC822, RFC822.HEADER and RFC822.TEXT are sections by other names.
mime::Section section_of(const FetchItem& item) {
  mime::Section section = item.section;
  if (item.kind == Kind::rfc822_header) section.text = mime::Section::Text::header;
  if (item.kind == Kind::rfc822_text) section.text = mime::Section::Text::text;
  return section;
}

bool is_binary(const FetchItem& item) { return item.kind == Kind::binary_section || item.kind == Kind::binary_size; }

// RFC 3516 §6. In UTF-16 and its kind the octets CR and LF are halves of characters, not line ends (RFC 2046 §4.1.2).
bool has_text_lines(const mime::Part& part) {
  if (part.type != "text") return false;
  const mime::Parameter* charset = mime::find_parameter(part.parameters, "charset");
  if (!charset) return true;
  const std::string name = ascii::to_lower(charset->value);
  return !name.starts_with("utf-16") && !name.starts_with("utf-32") && !name.starts_with("ucs-");
}

// The part of [0, size) that "<offset.count>" names.
ByteRange clip(std::uint64_t size, const std::optional<mime::Partial>& partial) {
  ByteRange range;
  range.end = size;
  if (!partial) return range;
  range.begin = std::min(partial->offset, size);
  range.end = range.begin + std::min(partial->count, size - range.begin);
  return range;
}

// One message, read as far as its items need: not at all for BODY[], its header for BODY[HEADER], all of it
// where a part must be found.
class Loader {
 public:
  explicit Loader(storage::MessageReader& reader) : reader_(reader) {}

  Result<SectionContent> load(const FetchItem& item) {
    if (is_preview(item)) return load_preview();
    if (is_binary(item)) return load_binary(item);
    const mime::Section section = section_of(item);
    if (section.part.empty() && section.text == mime::Section::Text::whole) {
      ByteRange everything;
      everything.end = reader_.size();
      return load_range(everything, item.partial);
    }
    const std::optional<mime::SectionSource> source =
        mime::resolve_section(section.part.empty() ? *TRY(outline()) : *TRY(tree()), section);
    if (!source) return SectionContent();
    if (!source->subset) return load_range(source->range, item.partial);
    return load_subset(*source, section, item.partial);
  }

 private:
  Result<SectionContent> load_preview() {
    ByteRange start;
    start.end = std::min<std::uint64_t>(reader_.size(), mime::preview_source_bytes);
    std::string raw;
    TRY(read(start, raw));
    SectionContent content;
    content.kind = SectionContent::Kind::bytes;
    content.bytes = mime::preview_of(raw);
    return content;
  }

  Result<SectionContent> load_range(ByteRange range, const std::optional<mime::Partial>& partial) {
    const ByteRange part = clip(range.size(), partial);
    SectionContent content;
    content.range.begin = range.begin + part.begin;
    content.range.end = range.begin + part.end;
    content.size = part.size();
    content.kind = SectionContent::Kind::range;
    if (content.size > inline_left_) return content;
    inline_left_ -= content.size;
    TRY(read(content.range, content.bytes));
    content.kind = SectionContent::Kind::bytes;
    content.has_nul = content.bytes.find('\0') != std::string::npos;
    return content;
  }

  Result<SectionContent> load_subset(const mime::SectionSource& source, const mime::Section& section,
                                     const std::optional<mime::Partial>& partial) {
    ByteRange range = source.range;
    range.end = std::min(range.end, range.begin + header_bytes_max);
    std::string header;
    TRY(read(range, header));
    const std::string subset = mime::header_subset(header, section.fields, *source.subset);
    const ByteRange part = clip(subset.size(), partial);
    SectionContent content;
    content.kind = SectionContent::Kind::bytes;
    content.bytes = subset.substr(part.begin, part.size());
    content.size = content.bytes.size();
    return content;
  }

  Result<SectionContent> load_binary(const FetchItem& item) {
    if (item.section.part.empty()) {
      ByteRange everything;
      everything.end = reader_.size();
      return sized(item, TRY(load_octets(item, everything)));
    }
    const mime::Part* part = mime::find_part(*TRY(tree()), item.section.part);
    if (part == nullptr) return SectionContent();
    const mime::TransferEncoding encoding =
        part->is_multipart() || part->is_message() ? mime::TransferEncoding::identity : part->encoding();
    if (encoding == mime::TransferEncoding::unknown) {
      SectionContent content;
      content.kind = SectionContent::Kind::unknown_cte;
      return content;
    }
    if (encoding == mime::TransferEncoding::identity) return sized(item, TRY(load_octets(item, part->body)));
    return sized(item, TRY(decode(*part, encoding, item.partial)));
  }

  // As they lie in the file. The form of the literal depends on whether there is a NUL (RFC 3516 §4.3).
  Result<SectionContent> load_octets(const FetchItem& item, ByteRange octets) {
    SectionContent content = TRY(load_range(octets, item.partial));
    if (content.kind != SectionContent::Kind::range || item.kind == Kind::binary_size) return content;
    std::string raw;
    for (std::uint64_t at = content.range.begin; at < content.range.end && !content.has_nul;
         at += message_slice_bytes) {
      ByteRange slice;
      slice.begin = at;
      slice.end = std::min<std::uint64_t>(content.range.end, at + message_slice_bytes);
      raw.clear();
      TRY(read(slice, raw));
      content.has_nul = raw.find('\0') != std::string::npos;
    }
    return content;
  }

  static SectionContent sized(const FetchItem& item, SectionContent content) {
    if (item.kind != Kind::binary_size) return content;
    content.kind = SectionContent::Kind::number;
    content.bytes.clear();
    return content;
  }

  // Decodes once to learn size and content; keeps the octets unless there are too many.
  Result<SectionContent> decode(const mime::Part& whole, mime::TransferEncoding encoding,
                                const std::optional<mime::Partial>& partial) {
    const ByteRange body = whole.body;
    SectionContent content;
    content.is_text = has_text_lines(whole);
    PartDecoder decoder(encoding, content.is_text);
    content.encoding = encoding;
    content.range = body;
    std::uint64_t total = 0;
    std::string decoded;
    const auto take = [&] {
      ByteRange wanted = clip(UINT64_MAX, partial);
      wanted.begin = std::clamp(wanted.begin, total, total + decoded.size()) - total;
      wanted.end = std::clamp(wanted.end, total, total + decoded.size()) - total;
      const std::string_view part = std::string_view(decoded).substr(wanted.begin, wanted.size());
      content.has_nul = content.has_nul || part.find('\0') != std::string_view::npos;
      content.size += part.size();
      if (content.size <= inline_left_) content.bytes += part;
      total += decoded.size();
      decoded.clear();
    };
    for (std::uint64_t at = body.begin; at < body.end; at += message_slice_bytes) {
      ByteRange slice;
      slice.begin = at;
      slice.end = std::min<std::uint64_t>(body.end, at + message_slice_bytes);
      std::string raw;
      TRY(read(slice, raw));
      decoder.feed(raw, decoded);
      take();
    }
    decoder.finish(decoded);
    take();
    content.offset = partial ? partial->offset : 0;
    content.kind = SectionContent::Kind::bytes;
    if (content.size > inline_left_) {
      content.kind = SectionContent::Kind::decoded;
      content.bytes = std::string();
    }
    inline_left_ -= content.bytes.size();
    return content;
  }

  Outcome read(ByteRange range, std::string& out) {
    TRY(reader_.read(range.begin, range.size(), out));
    server::metrics().fetched_octets.add(range.size());
    if (out.size() != range.size()) {
      return failure(ErrorKind::corruption, "The message cannot be read", "message file shorter than its size");
    }
    return {};
  }

  // Where the header ends, without a look at the parts.
  Result<const mime::Part*> outline() {
    if (tree_) return &*tree_;
    if (outline_) return &*outline_;
    mime::Part whole;
    whole.header.end = TRY(find_header_end());
    whole.body.begin = whole.header.end;
    whole.body.end = reader_.size();
    outline_ = std::move(whole);
    return &*outline_;
  }

  // Behind the first empty line; the end of the message where there is none.
  Result<std::uint64_t> find_header_end() {
    const std::uint64_t size = reader_.size();
    std::size_t slice_bytes = 16 * 1024;  // most headers are small
    std::uint64_t line_length = 0;        // octets of the current line so far, a CR at its end not counted
    for (std::uint64_t at = 0; at < size;) {
      ByteRange slice;
      slice.begin = at;
      slice.end = std::min<std::uint64_t>(size, at + slice_bytes);
      std::string raw;
      TRY(read(slice, raw));
      for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\n') {
          if (line_length == 0) return at + i + 1;
          line_length = 0;
          after_cr_ = false;
          continue;
        }
        if (after_cr_) ++line_length;  // the CR before was content
        after_cr_ = raw[i] == '\r';
        if (!after_cr_) ++line_length;
      }
      at = slice.end;
      slice_bytes = message_slice_bytes;
    }
    return size;
  }

  Result<const mime::Part*> tree() {
    if (tree_) return &*tree_;
    mime::StructureParser parser;
    const std::uint64_t size = reader_.size();
    for (std::uint64_t at = 0; at < size; at += message_slice_bytes) {
      ByteRange slice;
      slice.begin = at;
      slice.end = std::min<std::uint64_t>(size, at + message_slice_bytes);
      std::string raw;
      TRY(read(slice, raw));
      parser.feed(raw);
    }
    tree_ = parser.finish();
    return &*tree_;
  }

  storage::MessageReader& reader_;
  std::uint64_t inline_left_ = section_inline_bytes_max;  // all sections of the message share it
  std::optional<mime::Part> outline_;
  std::optional<mime::Part> tree_;
  bool after_cr_ = false;
};

}  // namespace

void PartDecoder::feed(std::string_view bytes, std::string& out) {
  if (!is_text_) return decoder_.feed(bytes, out);
  decoded_.clear();
  decoder_.feed(bytes, decoded_);
  line_ends_.feed(decoded_, out);
}

void PartDecoder::finish(std::string& out) {
  if (!is_text_) return decoder_.finish(out);
  decoded_.clear();
  decoder_.finish(decoded_);
  line_ends_.feed(decoded_, out);
}

bool is_section(const FetchItem& item) {
  switch (item.kind) {
    case Kind::rfc822:
    case Kind::rfc822_header:
    case Kind::rfc822_text:
    case Kind::body_section:
    case Kind::binary_section:
    case Kind::binary_size:
      return true;
    default:
      return is_preview(item);
  }
}

bool is_preview(const FetchItem& item) { return item.kind == Kind::preview || item.kind == Kind::preview_lazy; }

Result<std::vector<SectionContent>> load_sections(storage::MessageReader& reader, const std::vector<FetchItem>& items) {
  Loader loader(reader);
  std::vector<SectionContent> contents;
  for (const FetchItem& item : items) {
    if (is_section(item)) contents.push_back(TRY(loader.load(item)));
  }
  return contents;
}

}  // namespace postkeep::imap
