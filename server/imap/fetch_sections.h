// Bodies for FETCH: from a stored message to the octets, or the place of the octets, that BODY[...] and BINARY[...]
// name. RFC 9051 §6.4.5, §6.4.5.1; RFC 3516. Runs on the storage pool beside the account's strand; knows no session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/imap/commands/fetch.h"
#include "protocol/line/line_ends.h"
#include "protocol/mime/structure.h"
#include "protocol/mime/transfer_decode.h"
#include "storage/types.h"

namespace postkeep::imap {

// What one section item of one message is.
struct SectionContent {
  enum class Kind {
    absent,       // NIL: the message has no such part
    bytes,        // in `bytes`
    range,        // octets [range.begin, range.end) of the message, too many to be read at once
    decoded,      // `size` octets from `offset` of what `encoding` makes of `range`; likewise
    number,       // BINARY.SIZE: `size`
    unknown_cte,  // BINARY of a transfer encoding that nobody knows
  };
  Kind kind = Kind::absent;
  std::string bytes;
  mime::ByteRange range;
  mime::TransferEncoding encoding = mime::TransferEncoding::identity;
  bool is_text = false;  // of `decoded`: see PartDecoder
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool has_nul = false;  // `bytes` or `decoded`: a BINARY answer needs literal8
};

// Undoes a part's transfer encoding; a text's line ends become CRLF (RFC 9051 §7.5.2, BINARY).
class PartDecoder {
 public:
  PartDecoder(mime::TransferEncoding encoding, bool is_text) : decoder_(encoding), is_text_(is_text) {}
  void feed(std::string_view bytes, std::string& out);  // appends
  void finish(std::string& out);

 private:
  mime::TransferDecoder decoder_;
  line::LineEndConverter line_ends_;
  bool is_text_;
  std::string decoded_;
};

// Is the item one of those that need the message itself?
bool is_section(const FetchItem& item);
// PREVIEW, with or without LAZY: a few kilobytes of one file are no undue delay (RFC 8970 §4.1).
bool is_preview(const FetchItem& item);

// What is read at once of one message's sections together; those that do not fit are streamed.
inline constexpr std::uint64_t section_inline_bytes_max = 256 * 1024;
// Header blocks of which HEADER.FIELDS reads the fields; what lies beyond is not searched.
inline constexpr std::uint64_t header_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t message_slice_bytes = 256 * 1024;  // read at once

// The contents of those of `items` that are sections, in their order. Errors: unavailable, corruption.
Result<std::vector<SectionContent>> load_sections(storage::MessageReader& reader, const std::vector<FetchItem>& items);

}  // namespace postkeep::imap
