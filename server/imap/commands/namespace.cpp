// NAMESPACE. RFC 9051 §6.3.10, RFC 2342. One personal namespace without prefix.
#include "protocol/imap/responses/mailbox_data.h"
#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

Answer run_namespace(Context& context) {
  NamespaceData data;
  NamespaceData::Entry own;
  own.separator = context.settings().mailbox.separator;
  data.personal.push_back(own);
  Writer out = context.out();
  write_namespace(out, data);
  co_return Completion("Namespaces listed");
}

}  // namespace postkeep::imap
