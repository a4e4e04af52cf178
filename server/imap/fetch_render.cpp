// See fetch_render.h.
#include "server/imap/fetch_render.h"

#include <cstring>
#include <utility>

#include "protocol/base/seeded_fault.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t piece_bytes = 128 * 1024;  // sent from here on

}  // namespace

void FetchTroubles::missing(const std::optional<Error>& error) {
  if (!error) some_gone = true;
  if (error && !unreadable) unreadable = error;
}

void FetchTroubles::add(const FetchTroubles& others) {
  some_gone |= others.some_gone;
  unknown_cte |= others.unknown_cte;
  if (!unreadable) unreadable = others.unreadable;
}

bool FetchPiece::is_full() const { return text.size() >= piece_bytes || (!breaks.empty() && breaks.back().reader); }

void replace_nuls(std::string& bytes, std::size_t begin) {
  if (seeded(Fault::nul_in_literal)) return;
  char* at = bytes.data() + begin;
  char* const end = bytes.data() + bytes.size();
  while (at < end && (at = static_cast<char*>(std::memchr(at, '\0', static_cast<std::size_t>(end - at)))) != nullptr) {
    *at++ = '\x80';
  }
}

FetchRenderer::FetchRenderer(FetchPlan plan, storage::MailboxVersionPtr messages, Utf8 utf8)
    : plan_(std::move(plan)), messages_(std::move(messages)), utf8_(utf8) {
  for (const FetchItem& item : plan_.items) {
    names_.push_back(is_section(item) && !is_preview(item) ? response_name(item, utf8_) : std::string());
  }
}

void FetchRenderer::wait_for_file(const FetchedMessage& message, const storage::MessageRow& row, FetchPiece& piece) {
  FetchBreak pause;
  pause.at = piece.text.size();
  pause.waiting = message;
  pause.row = row;
  piece.breaks.push_back(std::move(pause));
}

void FetchRenderer::simple_item(FetchResponse& response, const FetchItem& item, const FetchedMessage& message,
                                const storage::MessageRow& row) const {
  write_simple_item(response, item, message.state, messages_->flags_of(message.state), message.recent, row);
}

void FetchRenderer::from_row(const FetchedMessage& message, const storage::MessageRow& row, FetchPiece& piece) const {
  if (plan_.wants.headers && !row.cached_headers) return wait_for_file(message, row, piece);
  Writer out(piece.text, utf8_);
  FetchResponse response(out, message.number);
  for (std::size_t i = 0; i < plan_.items.size(); ++i) {
    if (is_section(plan_.items[i])) {
      cached_section(response, i, *row.cached_headers, piece);
    } else {
      simple_item(response, plan_.items[i], message, row);
    }
  }
  response.finish();
}

void FetchRenderer::cached_section(FetchResponse& response, std::size_t item, std::string_view cached_headers,
                                   FetchPiece& piece) const {
  std::string bytes;
  append_cached_headers(plan_.items[item], cached_headers, bytes);
  response.section_literal(names_[item], bytes.size(), LiteralKind::literal);
  literal(bytes, false, piece);
}

void FetchRenderer::literal(std::string_view bytes, bool binary, FetchPiece& piece) {
  const std::size_t begin = piece.text.size();
  piece.text += bytes;
  if (!binary) replace_nuls(piece.text, begin);
}

void FetchRenderer::from_file(const FetchedMessage& message, const storage::MessageRow& row,
                              std::shared_ptr<storage::MessageReader> reader, FetchPiece& piece) const {
  Result<std::vector<SectionContent>> contents = load_sections(*reader, plan_.items);
  if (!contents) return piece.troubles.missing(contents.error());
  Writer out(piece.text, utf8_);
  FetchResponse response(out, message.number);
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan_.items.size(); ++i) {
    if (is_section(plan_.items[i])) {
      section(response, i, std::move((*contents)[next++]), reader, piece);
    } else {
      simple_item(response, plan_.items[i], message, row);
    }
  }
  response.finish();
}

void FetchRenderer::section(FetchResponse& response, std::size_t item, SectionContent content,
                            const std::shared_ptr<storage::MessageReader>& reader, FetchPiece& piece) const {
  const std::string& name = names_[item];
  const bool binary = plan_.items[item].kind == FetchItem::Kind::binary_section;
  const bool has_nul = binary && (content.has_nul || seeded(Fault::always_literal8));
  const LiteralKind form = has_nul ? LiteralKind::literal8 : LiteralKind::literal;
  switch (content.kind) {
    case SectionContent::Kind::absent:
      return response.section_nil(name);
    case SectionContent::Kind::number:
      return response.binary_size(name, content.size);
    case SectionContent::Kind::unknown_cte:
      piece.troubles.unknown_cte = !seeded(Fault::unknown_cte_is_nil);
      return response.section_nil(name);
    case SectionContent::Kind::bytes:
      if (is_preview(plan_.items[item])) return response.preview(content.bytes);
      // Always a literal: clients split answers at literals, and Python's imaplib understands no other.
      response.section_literal(name, content.bytes.size(), form);
      return literal(content.bytes, binary, piece);
    case SectionContent::Kind::range:
    case SectionContent::Kind::decoded:
      break;
  }
  response.section_literal(name, content.size, form);
  FetchBreak pause;
  pause.at = piece.text.size();
  pause.reader = reader;
  pause.content = std::move(content);
  pause.binary = binary;
  piece.breaks.push_back(std::move(pause));
}

}  // namespace postkeep::imap
