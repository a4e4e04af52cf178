#include "server/admin/mail_fields.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "protocol/mime/encoded_words.h"
#include "protocol/mime/header_fields.h"
#include "protocol/text/display.h"
#include "protocol/text/similar.h"
#include "protocol/text/utf8.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using storage::FetchWants;

void nothing(FetchWants&) {}
void dates(FetchWants& wants) { wants.dates = true; }
void size(FetchWants& wants) { wants.size = true; }
void object_ids(FetchWants& wants) { wants.object_ids = true; }
void headers(FetchWants& wants) { wants.headers = true; }

// RFC 3339, in UTC.
std::string iso_time(UnixTime time) {
  const auto seconds = static_cast<std::time_t>(time.seconds);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

// ["\\Seen", "$Junk"]
Json flag_list(const Flags& flags) {
  Json list = Json::array();
  const std::string wire = flags.to_wire();
  for (std::size_t start = 0; start < wire.size();) {
    const std::size_t end = std::min(wire.find(' ', start), wire.size());
    list.push_back(wire.substr(start, end - start));
    start = end + 1;
  }
  return list;
}

std::string header_text(const MessageFactsView& message, std::string_view name) {
  mime::HeaderReader reader(message.header);
  for (mime::HeaderField field; reader.next(field);) {
    if (mime::same_field_name(field.name, name)) return text::repair_utf8(mime::decode_header_text(field.value));
  }
  return "";
}

using View = MessageFactsView;
constexpr auto right = TextTable::Align::right;
constexpr auto left = TextTable::Align::left;

const std::array field_table = {
    MailField{"mailbox", "name of the mailbox", nothing, [](const View& m) { return Json(m.mailbox); }},
    MailField{"uid", "UID in it", nothing, [](const View& m) { return Json(m.row.uid.value()); }, right},
    MailField{"date", "time when it came in", dates, [](const View& m) { return Json(iso_time(m.row.internal_date)); }},
    MailField{"saved", "time when it came into this mailbox", dates,
              [](const View& m) { return Json(iso_time(m.row.save_date)); }},
    MailField{"size", "octets", size, [](const View& m) { return Json(m.row.size); }, right},
    MailField{"flags", "flags and keywords", nothing, [](const View& m) { return flag_list(m.flags); }, left, 40},
    MailField{"from", "From field", headers, [](const View& m) { return Json(header_text(m, "From")); }, left, 32},
    MailField{"to", "To field", headers, [](const View& m) { return Json(header_text(m, "To")); }, left, 32},
    MailField{"cc", "Cc field", headers, [](const View& m) { return Json(header_text(m, "Cc")); }, left, 32},
    MailField{"subject", "Subject field", headers, [](const View& m) { return Json(header_text(m, "Subject")); }},
    MailField{"sent", "Date field as written", headers, [](const View& m) { return Json(header_text(m, "Date")); }},
    MailField{"message-id", "Message-ID field", headers,
              [](const View& m) { return Json(header_text(m, "Message-ID")); }},
    MailField{"email-id", "EMAILID, the same for equal messages", object_ids,
              [](const View& m) { return Json(to_wire(m.row.email_id)); }},
    MailField{"thread-id", "THREADID", object_ids, [](const View& m) { return Json(to_wire(m.row.thread_id)); }},
};

std::string json_key(const MailField& field) {
  std::string key(field.name);
  std::ranges::replace(key, '-', '_');
  return key;
}

std::string cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string joined;
  for (const Json& item : value) joined += (joined.empty() ? "" : " ") + item.get<std::string>();
  return joined;
}

}  // namespace

std::span<const MailField> mail_fields() { return field_table; }

std::string mail_field_names() {
  std::string names;
  for (const MailField& field : field_table) names += (names.empty() ? "" : ", ") + std::string(field.name);
  return names;
}

Result<MailFieldList> parse_mail_fields(std::string_view list) {
  MailFieldList fields;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto field = std::ranges::find(field_table, name, &MailField::name);
    if (field == field_table.end()) {
      text::NearestName nearest(name);
      for (const MailField& other : field_table) nearest.offer(other.name);
      const std::string meant = nearest.best().empty() ? "" : "; did you mean " + std::string(nearest.best()) + "?";
      return failure(ErrorKind::bad_syntax,
                     "There is no field " + std::string(name) + meant + " Fields are " + mail_field_names());
    }
    fields.push_back(&*field);
  }
  if (fields.empty()) return failure(ErrorKind::bad_syntax, "Name the fields, for example uid,date,subject");
  return fields;
}

FetchWants wants_of(const MailFieldList& fields) {
  FetchWants wants;
  for (const MailField* field : fields) field->want(wants);
  return wants;
}

Json to_json(const MailFieldList& fields, const MessageFactsView& message) {
  Json row = Json::object();
  for (const MailField* field : fields) row[json_key(*field)] = field->value(message);
  return row;
}

std::vector<TextTable::Align> columns_of(const MailFieldList& fields) {
  std::vector<TextTable::Align> columns;
  for (const MailField* field : fields) columns.push_back(field->align);
  return columns;
}

std::vector<std::string> cells_of(const MailFieldList& fields, const Json& message) {
  std::vector<std::string> cells;
  for (const MailField* field : fields) {
    std::string text = text::displayable(cell(message.value(json_key(*field), Json(""))));
    if (field->columns_max != 0) text = text::cut_to_width(text, field->columns_max);
    cells.push_back(std::move(text));
  }
  return cells;
}

}  // namespace postkeep::admin
