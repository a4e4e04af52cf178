// See fetch_items.h.
#include "server/imap/fetch_items.h"

#include <algorithm>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/body_reduce.h"
#include "protocol/mime/header_fields.h"

namespace postkeep::imap {

using Kind = FetchItem::Kind;

namespace {

// Where an item's value comes from.
enum class Source {
  view,           // the mailbox version: costs nothing
  row,            // the index
  message,        // the file
  not_supported,  // belongs to an extension that is not advertised
};

struct SourceRow {
  Kind kind;
  Source source;
  bool storage::FetchWants::*want;  // of the row; null for other sources
};

const SourceRow& source_of(Kind kind) {
  using Wants = storage::FetchWants;
  static constexpr SourceRow rows[] = {
      {Kind::envelope, Source::row, &Wants::envelope},
      {Kind::flags, Source::view, nullptr},
      {Kind::internal_date, Source::row, &Wants::dates},
      {Kind::rfc822, Source::message, nullptr},
      {Kind::rfc822_header, Source::message, nullptr},
      {Kind::rfc822_size, Source::row, &Wants::size},
      {Kind::rfc822_text, Source::message, nullptr},
      {Kind::body, Source::row, &Wants::body_structure},
      {Kind::body_structure, Source::row, &Wants::body_structure},
      {Kind::uid, Source::view, nullptr},
      {Kind::body_section, Source::message, nullptr},
      {Kind::binary_section, Source::message, nullptr},
      {Kind::binary_size, Source::message, nullptr},
      {Kind::modseq, Source::view, nullptr},
      {Kind::email_id, Source::row, &Wants::object_ids},
      {Kind::thread_id, Source::row, &Wants::object_ids},
      {Kind::save_date, Source::row, &Wants::dates},
      {Kind::preview, Source::message, nullptr},
      {Kind::preview_lazy, Source::message, nullptr},
  };
  for (const SourceRow& row : rows) {
    if (row.kind == kind) return row;
  }
  static constexpr SourceRow unknown = {Kind::flags, Source::not_supported, nullptr};
  return unknown;
}

// RFC 3501 does not know message/global, so sessions of it alone may not see it as a message.
GlobalParts global_parts(const FetchResponse& response) {
  return response.utf8() == Utf8::yes ? GlobalParts::messages : GlobalParts::plain;
}

// Nearly none has such a part, and then it is ready.
void write_body_structure(FetchResponse& response, const FetchItem& item, const std::string& body_structure) {
  // A "g" is rare, a quotation mark is not.
  const bool ready = global_parts(response) == GlobalParts::messages ||
                     body_structure.find("global\"") == std::string::npos ||
                     body_structure.find("\"message\" \"global\"") == std::string::npos;
  if (ready) return response.ready(item, body_structure);
  response.ready(item, body_structure_with(body_structure, GlobalParts::plain));
}

}  // namespace

bool is_in_cached_headers(const FetchItem& item) {
  return item.kind == Kind::body_section && item.section.part.empty() &&
         item.section.text == mime::Section::Text::header_fields &&
         std::all_of(item.section.fields.begin(), item.section.fields.end(),
                     [](const std::string& field) { return storage::is_cached_header(field); });
}

void append_cached_headers(const FetchItem& item, std::string_view cached_headers, std::string& out) {
  std::string completed;
  // Of a message that ends within its header the last line may lack its end: then that is what follows, and no empty
  // line.
  const bool is_complete = cached_headers.empty() || cached_headers.back() == '\n';
  if (!is_complete) {
    completed.append(cached_headers).append("\r\n");
    cached_headers = completed;
  }
  const std::size_t begin = out.size();
  mime::append_header_subset(cached_headers, item.section.fields, mime::FieldSubset::listed, out);
  if (is_complete) out.append("\r\n");
  if (!item.partial) return;
  const std::uint64_t size = out.size() - begin;
  const std::uint64_t skip = std::min<std::uint64_t>(item.partial->offset, size);
  out.erase(begin, skip);
  out.resize(begin + std::min<std::uint64_t>(item.partial->count, size - skip));
}

Result<FetchPlan> plan_fetch(std::vector<FetchItem> items, UidForm uid) {
  FetchPlan plan;
  plan.items = std::move(items);
  const bool has_uid =
      std::any_of(plan.items.begin(), plan.items.end(), [](const FetchItem& item) { return item.kind == Kind::uid; });
  if (uid == UidForm::yes && !has_uid && !seeded(Fault::uid_fetch_without_uid)) {
    FetchItem uid_item;
    uid_item.kind = Kind::uid;
    plan.items.insert(plan.items.begin(), uid_item);
  }
  for (const FetchItem& item : plan.items) {
    const SourceRow& row = source_of(item.kind);
    if (row.source == Source::not_supported) return failure(ErrorKind::bad_syntax, "FETCH item not supported");
    if (row.want != nullptr) plan.wants.*row.want = true;
    if (is_in_cached_headers(item)) {
      plan.wants.headers = true;
    } else if (row.source == Source::message) {
      plan.needs_messages = true;
    }
    plan.needs_rows |= row.want != nullptr || plan.wants.headers;
    plan.sets_seen |= item.sets_seen();
  }
  return plan;
}

void write_simple_item(FetchResponse& response, const FetchItem& item, const storage::MessageState& state,
                       const Flags& flags, Recent recent, const storage::MessageRow& row) {
  switch (item.kind) {
    case Kind::uid:
      response.uid(state.uid);
      break;
    case Kind::flags:
      response.flags(flags, recent);
      break;
    case Kind::modseq:
      response.modseq(state.modseq);
      break;
    case Kind::internal_date:
      response.internal_date(row.internal_date);
      break;
    case Kind::save_date:
      response.save_date(row.save_date);
      break;
    case Kind::rfc822_size:
      response.rfc822_size(row.size);
      break;
    case Kind::email_id:
      response.email_id(row.email_id);
      break;
    case Kind::thread_id:
      response.thread_id(row.thread_id);
      break;
    case Kind::envelope:
      response.ready(item, row.envelope);
      break;
    case Kind::body_structure:
      write_body_structure(response, item, row.body_structure);
      break;
    case Kind::body:
      response.ready(item, seeded(Fault::body_is_structure)
                               ? row.body_structure
                               : without_extension_data(row.body_structure, global_parts(response)));
      break;
    default:
      break;
  }
}

}  // namespace postkeep::imap
