#include "protocol/imap/responses/status.h"

namespace postkeep::imap {

void write_status(Writer& writer, std::string_view mailbox, const std::vector<StatusValue>& values) {
  writer.raw("* STATUS ").astring(mailbox).raw(" (");
  bool first = true;
  for (const StatusValue& value : values) {
    if (!first) writer.sp();
    first = false;
    writer.raw(to_wire(value.item)).sp();
    if (const auto* id = std::get_if<MailboxId>(&value.value)) {
      writer.open().raw(postkeep::to_wire(*id)).close();
    } else {
      writer.number(std::get<std::uint64_t>(value.value));
    }
  }
  writer.raw(")").crlf();
}

}  // namespace postkeep::imap
