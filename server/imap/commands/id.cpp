// ID. RFC 2971 §3.1.
#include "protocol/base/ascii.h"
#include "protocol/imap/responses/mailbox_data.h"
#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

Answer run_id(Context& context, IdArgs arguments) {
  for (const auto& [name, value] : arguments.fields) {
    context.log.debug("client_id", {{"field", name}, {"value", value.value_or("")}});
    if (ascii::to_lower(name) == "name") context.client_name = value.value_or("").substr(0, client_name_max);
  }
  // No version: what strangers learn here helps nobody but those who look for old servers.
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;
  fields.emplace_back("name", "Postkeep");
  Writer out = context.out();
  write_id(out, fields);
  co_return Completion("Pleased to meet you");
}

}  // namespace postkeep::imap
