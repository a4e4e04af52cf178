#include "protocol/imap/responses/fetch.h"

#include "protocol/base/seeded_fault.h"

namespace postkeep::imap {
namespace {

void append_section(std::string& out, const mime::Section& section, Utf8 utf8) {
  using Text = mime::Section::Text;
  for (const std::uint32_t number : section.part) {
    if (out.back() != '[') out += '.';
    out += std::to_string(number);
  }
  if (section.text == Text::whole) return;
  if (!section.part.empty()) out += '.';
  switch (section.text) {
    case Text::whole:
      return;
    case Text::header:
      out += "HEADER";
      return;
    case Text::text:
      out += "TEXT";
      return;
    case Text::mime:
      out += "MIME";
      return;
    case Text::header_fields:
      out += "HEADER.FIELDS (";
      break;
    case Text::header_fields_not:
      out += "HEADER.FIELDS.NOT (";
      break;
  }
  Writer names(out, utf8);
  bool first = true;
  for (const std::string& field : section.fields) {
    if (!first) out += ' ';
    first = false;
    names.astring(field);
  }
  out += ')';
}

std::string section_name(std::string name, const FetchItem& item, Utf8 utf8) {
  name += '[';
  append_section(name, item.section, utf8);
  name += ']';
  if (seeded(Fault::origin_always) && !item.partial) name += "<0>";
  // The response shows where the part begins, never how much was asked (RFC 9051 §7.5.2).
  if (item.partial) name += '<' + std::to_string(item.partial->offset) + '>';
  return name;
}

}  // namespace

std::string response_name(const FetchItem& item, Utf8 utf8) {
  using Kind = FetchItem::Kind;
  switch (item.kind) {
    case Kind::envelope:
      return "ENVELOPE";
    case Kind::flags:
      return "FLAGS";
    case Kind::internal_date:
      return "INTERNALDATE";
    case Kind::rfc822:
      return "RFC822";
    case Kind::rfc822_header:
      return "RFC822.HEADER";
    case Kind::rfc822_size:
      return "RFC822.SIZE";
    case Kind::rfc822_text:
      return "RFC822.TEXT";
    case Kind::body:
      return "BODY";
    case Kind::body_structure:
      return "BODYSTRUCTURE";
    case Kind::uid:
      return "UID";
    case Kind::body_section:
      return section_name("BODY", item, utf8);
    case Kind::binary_section:
      return section_name("BINARY", item, utf8);
    case Kind::binary_size:
      return section_name("BINARY.SIZE", item, utf8);
    case Kind::modseq:
      return "MODSEQ";
    case Kind::email_id:
      return "EMAILID";
    case Kind::thread_id:
      return "THREADID";
    case Kind::save_date:
      return "SAVEDATE";
    case Kind::preview:
    case Kind::preview_lazy:
      return "PREVIEW";
  }
  return {};
}

FetchResponse::FetchResponse(Writer& writer, SeqNum number) : writer_(writer) {
  writer_.raw("* ").number(number.value()).raw(" FETCH (");
}

Writer& FetchResponse::name(std::string_view name) {
  if (!first_) writer_.sp();
  first_ = false;
  return writer_.raw(name).sp();
}

void FetchResponse::uid(Uid uid) { name("UID").number(uid.value()); }

void FetchResponse::flags(const Flags& flags, Recent recent) {
  name("FLAGS").open().raw(flags.to_wire());
  if (recent == Recent::yes) writer_.raw(flags.empty() ? "\\Recent" : " \\Recent");
  writer_.close();
}

void FetchResponse::internal_date(UnixTime time) { name("INTERNALDATE").string(format_imap_date_time(time)); }

void FetchResponse::save_date(std::optional<UnixTime> time) {
  name("SAVEDATE");
  if (time) {
    writer_.string(format_imap_date_time(*time));
  } else {
    writer_.nil();
  }
}

void FetchResponse::rfc822_size(std::uint64_t octets) {
  name("RFC822.SIZE").number(octets + (seeded(Fault::size_off_by_one) ? 1 : 0));
}
void FetchResponse::modseq(ModSeq modseq) { name("MODSEQ").open().number(modseq.value()).close(); }
void FetchResponse::email_id(const EmailId& id) { name("EMAILID").open().raw(to_wire(id)).close(); }

void FetchResponse::thread_id(const std::optional<ThreadId>& id) {
  name("THREADID");
  if (id) {
    writer_.open().raw(to_wire(*id)).close();
  } else {
    writer_.nil();
  }
}

void FetchResponse::preview(const std::optional<std::string>& text) { name("PREVIEW").nstring(text); }
void FetchResponse::ready(const FetchItem& item, std::string_view value) { name(response_name(item)).raw(value); }

void FetchResponse::binary_size(std::string_view item_name, std::uint64_t octets) {
  name(item_name).number(octets + (seeded(Fault::binary_size_off) ? 1 : 0));
}

void FetchResponse::section_nil(std::string_view item_name) { name(item_name).nil(); }
void FetchResponse::section_bytes(std::string_view item_name, std::string_view bytes) { name(item_name).string(bytes); }

void FetchResponse::section_literal(std::string_view item_name, std::uint64_t octets, LiteralKind kind) {
  name(item_name);
  writer_.raw(kind == LiteralKind::literal8 ? "~{" : "{").number(octets);
  writer_.raw(seeded(Fault::literal_with_plus) ? "+}" : "}").crlf();
}

void FetchResponse::finish() { writer_.close().crlf(); }

}  // namespace postkeep::imap
