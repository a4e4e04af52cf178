// GETQUOTA. RFC 9208 §4.1.1. GETQUOTAROOT takes a mailbox name alone: parse_mailbox_only().
#pragma once

#include <string>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

struct GetQuotaArgs {
  std::string root;
};
Result<GetQuotaArgs> parse_get_quota(Cursor& cursor);

}  // namespace postkeep::imap
