#include "protocol/imap/responses/quota.h"

namespace postkeep::imap {

void write_quota(Writer& writer, std::string_view root, const std::vector<QuotaResource>& resources) {
  writer.raw("* QUOTA ").astring(root).sp().open();
  bool first = true;
  for (const QuotaResource& resource : resources) {
    if (!first) writer.sp();
    first = false;
    writer.raw(resource.name).sp().number(resource.used).sp().number(resource.limit);
  }
  writer.close().crlf();
}

void write_quota_root(Writer& writer, std::string_view mailbox, std::string_view root) {
  writer.raw("* QUOTAROOT ").astring(mailbox).sp().astring(root).crlf();
}

}  // namespace postkeep::imap
