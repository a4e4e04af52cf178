// STORE and UID STORE. RFC 9051 §6.4.6, RFC 7162 §3.1.3 (UNCHANGEDSINCE).
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

struct StoreArgs {
  enum class Silent { no, yes };
  SequenceSet set;
  FlagChange change = FlagChange::replace;
  Silent silent = Silent::no;
  Flags flags;
  std::optional<std::uint64_t> unchanged_since;  // 0 is allowed and means "no message may match"
};

Result<StoreArgs> parse_store(Cursor& cursor);

}  // namespace postkeep::imap
