// GETQUOTA and SETQUOTA. RFC 9208 §4.1.1, §4.1.3. GETQUOTAROOT takes a mailbox name alone: parse_mailbox_only().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

struct GetQuotaArgs {
  std::string root;
};
Result<GetQuotaArgs> parse_get_quota(Cursor& cursor);

struct ResourceLimit {
  std::string resource;     // any atom, upper case: whether there is such a resource is not the grammar's business
  std::uint64_t limit = 0;  // in the resource's own units
};

struct SetQuotaArgs {
  std::string root;
  std::vector<ResourceLimit> resources;  // none twice; at most limits::quota_resources_max
};
Result<SetQuotaArgs> parse_set_quota(Cursor& cursor);

}  // namespace postkeep::imap
