#include "protocol/imap/responses/list.h"

namespace postkeep::imap {
namespace {

// mbox-list-extended: "(" [item *(SP item)] ")".
void write_extended(Writer& writer, const ListData& data) {
  writer.sp().open();
  if (!data.child_info.empty()) {
    writer.string("CHILDINFO").sp().open();
    bool first = true;
    for (const std::string& option : data.child_info) {
      if (!first) writer.sp();
      first = false;
      writer.string(option);
    }
    writer.close();
  }
  if (data.old_name) {
    if (!data.child_info.empty()) writer.sp();
    writer.string("OLDNAME").sp().open().astring(*data.old_name).close();
  }
  writer.close();
}

}  // namespace

void write_list(Writer& writer, const ListData& data) {
  writer.raw(data.verb == ListData::Verb::lsub ? "* LSUB (" : "* LIST (");
  bool first = true;
  for (const std::string& attribute : data.attributes) {
    if (!first) writer.sp();
    first = false;
    writer.raw(attribute);
  }
  writer.raw(") ");
  if (data.separator) {
    writer.string(std::string_view(&*data.separator, 1));
  } else {
    writer.nil();
  }
  writer.sp().astring(data.mailbox);
  if (!data.child_info.empty() || data.old_name) write_extended(writer, data);
  writer.crlf();
}

}  // namespace postkeep::imap
