// QUOTA and QUOTAROOT. RFC 9208 §4.2.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/imap/writer.h"

namespace postkeep::imap {

// A limited resource: "STORAGE" (in units of 1,024 octets), "MESSAGE", "MAILBOX" (RFC 9208 §5).
struct QuotaResource {
  std::string_view name;
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
};
void write_quota(Writer& writer, std::string_view root, const std::vector<QuotaResource>& resources);
void write_quota_root(Writer& writer, std::string_view mailbox, std::string_view root);

}  // namespace postkeep::imap
