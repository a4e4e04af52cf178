#include "protocol/imap/responses/mailbox_data.h"

#include <string_view>

namespace postkeep::imap {
namespace {

void write_counted(Writer& writer, std::uint32_t number, std::string_view what) {
  writer.raw("* ").number(number).sp().raw(what).crlf();
}

void write_namespaces(Writer& writer, const std::vector<NamespaceData::Entry>& entries) {
  if (entries.empty()) {
    writer.nil();
    return;
  }
  writer.open();
  for (const NamespaceData::Entry& entry : entries) {
    writer.open().string(entry.prefix).sp().string(std::string_view(&entry.separator, 1)).close();
  }
  writer.close();
}

}  // namespace

void write_exists(Writer& writer, std::uint32_t count) { write_counted(writer, count, "EXISTS"); }
void write_recent(Writer& writer, std::uint32_t count) { write_counted(writer, count, "RECENT"); }
void write_expunge(Writer& writer, SeqNum number) { write_counted(writer, number.value(), "EXPUNGE"); }

void write_vanished(Writer& writer, const UidSet& uids, Earlier earlier) {
  if (uids.empty()) return;
  writer.raw("* VANISHED ");
  if (earlier == Earlier::yes) writer.raw("(EARLIER) ");
  writer.raw(uids.to_wire()).crlf();
}

void write_flags(Writer& writer, const Flags& flags) {
  writer.raw("* FLAGS ").open().raw(flags.to_wire()).close().crlf();
}

void write_namespace(Writer& writer, const NamespaceData& data) {
  writer.raw("* NAMESPACE ");
  write_namespaces(writer, data.personal);
  writer.sp();
  write_namespaces(writer, data.other_users);
  writer.sp();
  write_namespaces(writer, data.shared);
  writer.crlf();
}

void write_id(Writer& writer, const std::vector<std::pair<std::string, std::optional<std::string>>>& fields) {
  writer.raw("* ID ");
  if (fields.empty()) {
    writer.nil().crlf();
    return;
  }
  writer.open();
  bool first = true;
  for (const auto& [name, value] : fields) {
    if (!first) writer.sp();
    first = false;
    writer.string(name).sp().nstring(value);
  }
  writer.close().crlf();
}

}  // namespace postkeep::imap
