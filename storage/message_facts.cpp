#include "storage/message_facts.h"

#include <algorithm>

#include "protocol/imap/responses/envelope_body.h"
#include "protocol/imap/writer.h"
#include "protocol/mime/header_fields.h"

namespace postkeep::storage {
namespace {

// "<id@host>", brackets included; empty if there is none.
std::string_view first_message_id(std::string_view value) {
  const std::size_t open = value.find('<');
  if (open == std::string_view::npos) return {};
  const std::size_t close = value.find('>', open);
  if (close == std::string_view::npos) return {};
  return value.substr(open, close - open + 1);
}

// The wanted fields, whole and in order; nullopt beyond the limit.
std::optional<std::string> cached_headers_of(std::string_view header) {
  std::string result;
  mime::HeaderReader reader(header);
  mime::HeaderField field;
  while (reader.next(field)) {
    if (!is_cached_header(field.name)) continue;
    if (result.size() + field.whole.size() > cached_headers_octets_max) return std::nullopt;
    result += field.whole;
  }
  return result;
}

}  // namespace

void MessageFacts::feed(std::string_view bytes) {
  parser_.feed(bytes);
  hash_.update(bytes);
  size_ += bytes.size();
  if (!bytes.empty()) {
    ends_in_crlf_ = bytes.ends_with("\r\n") || (bytes == "\n" && after_cr_);
    after_cr_ = bytes.back() == '\r';
  }
  if (!header_complete_) feed_header(bytes);
}

// Keeps bytes up to the first empty line. Looks for it across the cut between two pieces.
void MessageFacts::feed_header(std::string_view bytes) {
  const std::size_t limit = mime::Limits().header_octets_max;
  const std::size_t searched = header_.size() < 3 ? 0 : header_.size() - 3;
  header_ += bytes.substr(0, limit - header_.size());
  for (const std::string_view end : {"\r\n\r\n", "\n\n"}) {
    const std::size_t at = header_.find(end, searched);
    if (at != std::string::npos) {
      header_.resize(at + end.size());
      header_complete_ = true;
    }
  }
  if (header_.starts_with("\r\n") || header_.starts_with("\n")) header_complete_ = true;
  if (header_.size() == limit) header_complete_ = true;
}

MessageRow MessageFacts::finish() {
  MessageRow row;
  row.size = size_;
  row.ends_in_crlf = ends_in_crlf_;
  row.email_id = email_id_of(hash_.finish());
  row.thread_id = thread_id_of(header_, row.email_id);
  const mime::Part root = parser_.finish();
  imap::Writer envelope(row.envelope);
  imap::write_envelope(envelope, root.envelope ? *root.envelope : mime::Envelope());
  imap::Writer structure(row.body_structure);
  imap::write_bodystructure(structure, root);
  // A header that was cut may lack fields that the message has: then the message itself must be asked.
  if (header_.size() < mime::Limits().header_octets_max) row.cached_headers = cached_headers_of(header_);
  return row;
}

Result<MessageRow> read_facts(MessageReader& reader) {
  constexpr std::size_t step = 64 * 1024;
  MessageFacts facts;
  std::string block;
  for (std::uint64_t at = 0; at < reader.size(); at += block.size()) {
    block.clear();
    TRY(reader.read(at, step, block));
    if (block.empty()) return failure(ErrorKind::corruption, "A message is shorter than it was");
    facts.feed(block);
  }
  return facts.finish();
}

Result<std::string> read_header_block(MessageReader& reader) {
  constexpr std::size_t step = 16 * 1024;
  const std::size_t limit = mime::Limits().header_octets_max;
  std::string block;
  while (block.size() < limit) {
    const std::size_t before = block.size();
    TRY(reader.read(before, std::min(step, limit - before), block));
    const std::size_t from = before < 3 ? 0 : before - 3;
    std::size_t end = std::string::npos;
    for (const std::string_view blank : {std::string_view("\r\n\r\n"), std::string_view("\n\n")}) {
      const std::size_t found = block.find(blank, from);
      if (found != std::string::npos) end = std::min(end, found + blank.size());
    }
    if (end != std::string::npos) return block.substr(0, end);
    if (block.size() == before) break;  // all of it is header
  }
  return block;
}

EmailId email_id_of(const Sha256Digest& digest) {
  EmailId id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

ThreadId thread_id_of(std::string_view header, const EmailId& email_id) {
  const std::vector<mime::HeaderField> fields = mime::read_header(header);
  ThreadId id;
  id.bytes = email_id.bytes;
  for (const char* name : {"References", "In-Reply-To", "Message-ID"}) {
    const mime::HeaderField* field = mime::find_field(fields, name);
    const std::string_view message_id = field == nullptr ? std::string_view() : first_message_id(field->value);
    if (message_id.empty()) continue;
    const Sha256Digest digest = sha256(message_id);
    std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
    break;
  }
  return id;
}

}  // namespace postkeep::storage
