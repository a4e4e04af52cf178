// What `mail fetch` and `mail search` tell of a message: the table of fields, and rows of them as JSON and as text.
// Adding a field is a row in mail_fields.cpp. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "server/admin/text_table.h"
#include "storage/types.h"

namespace postkeep::admin {

// A message of which a row is made.
struct MessageFactsView {
  std::string_view mailbox;  // for people
  const storage::MessageRow& row;
  const Flags& flags;
  std::string_view header;  // a header block with at least the cached fields (storage::cached_header_names)
};

// A row of the table.
struct MailField {
  std::string_view name;  // on the command line; in JSON with '_' for '-'
  std::string_view help;  // after "the"
  void (*want)(storage::FetchWants& wants);
  nlohmann::json (*value)(const MessageFactsView& message);
  TextTable::Align align = TextTable::Align::left;
  std::size_t columns_max = 0;  // people see no more of it; 0: all
};

std::span<const MailField> mail_fields();
std::string mail_field_names();  // "mailbox, uid, ..."

using MailFieldList = std::vector<const MailField*>;
// "uid,date,subject". Errors: bad_syntax with the names that there are.
Result<MailFieldList> parse_mail_fields(std::string_view list);

storage::FetchWants wants_of(const MailFieldList& fields);
// {"mailbox": "INBOX", "uid": 5, ...}
nlohmann::json to_json(const MailFieldList& fields, const MessageFactsView& message);
// What to_json() made, as cells of a table with these columns.
std::vector<TextTable::Align> columns_of(const MailFieldList& fields);
std::vector<std::string> cells_of(const MailFieldList& fields, const nlohmann::json& message);

}  // namespace postkeep::admin
