// The MIME tree of a message as offsets into its bytes. RFC 2045, RFC 2046; RFC 9051 §7.5.2 (BODYSTRUCTURE).
// Called by storage on delivery and indexing, and by FETCH. Never fails: whatever bytes come, a tree comes out
// that covers them, and memory does not grow with the message but with its tree, which has limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mime/envelope.h"
#include "protocol/mime/limits.h"
#include "protocol/mime/parameters.h"
#include "protocol/mime/transfer_decode.h"

namespace postkeep::mime {

// Octets [begin, end) of the message, counted from its first octet.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size() const { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

struct Disposition {
  std::string type;  // "inline", "attachment", ...: lower case
  std::vector<Parameter> parameters;
  bool operator==(const Disposition&) const = default;
};

// One MIME entity: the message itself, a part of a multipart, or the message inside a message/rfc822 part.
// A value. Always holds: a multipart has at least one child, a message/rfc822 or message/global exactly one
// (the root of the nested message, with its envelope), everything else none.
// What would break this is shown as something else: a multipart without any delimiter has its whole body as one
// text/plain child; a container beyond the limits, or with a transfer encoding that a container cannot have
// (RFC 2045 §6.4), is an application/octet-stream leaf.
struct Part {
  std::string type = "text";      // lower case; printable US-ASCII; never empty
  std::string subtype = "plain";  // likewise
  std::vector<Parameter> parameters;
  std::optional<std::string> id;           // Content-ID, unfolded
  std::optional<std::string> description;  // Content-Description, unfolded, encoded words kept
  std::string encoding_name = "7bit";      // Content-Transfer-Encoding as written, lower case; never empty
  std::optional<std::string> md5;
  std::optional<Disposition> disposition;
  std::vector<std::string> languages;
  std::optional<std::string> location;

  ByteRange header;         // the entity's own header, the blank line included
  ByteRange body;           // without the line end that belongs to the next delimiter
  std::uint64_t lines = 0;  // lines of the body; a last one without line end counts

  std::optional<Envelope> envelope;  // of the message itself and of nested messages
  std::vector<Part> children;

  bool is_multipart() const { return type == "multipart"; }
  bool is_message() const { return type == "message" && (subtype == "rfc822" || subtype == "global"); }
  TransferEncoding encoding() const { return parse_transfer_encoding(encoding_name); }
  std::uint64_t octets() const { return body.size(); }
  bool operator==(const Part&) const = default;
};

// A field of the root header that the caller wanted, in order of appearance.
struct CapturedField {
  std::string name;   // lower case
  std::string value;  // raw, as HeaderField::value
  bool operator==(const CapturedField&) const = default;
};

// Push parser: feed() any number of times with any cuts, then finish() once. The result depends only on the
// bytes, not on the cuts. Lines end with LF or CRLF; a bare CR is content.
class StructureParser {
 public:
  // `wanted` names the root fields to capture, in any case.
  explicit StructureParser(const Limits& limits = {}, std::vector<std::string> wanted = {});
  StructureParser(StructureParser&&) noexcept;
  StructureParser& operator=(StructureParser&&) noexcept;
  ~StructureParser();

  void feed(std::string_view bytes);
  Part finish();  // the message itself; its body ends where the bytes did
  const std::vector<CapturedField>& captured() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// For a message that is in memory.
Part parse_structure(std::string_view message, const Limits& limits = {});

}  // namespace postkeep::mime
