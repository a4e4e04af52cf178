// SELECT and EXAMINE with their parameters. RFC 9051 §6.3.2, §6.3.3, RFC 4466 §2.1, RFC 7162 §3.1.8, §3.2.5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/base/result.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

// QRESYNC (uidvalidity modseq [known-uids] [(seqs uids)]).
struct QresyncParameter {
  UidValidity uid_validity;
  ModSeq modseq;
  std::optional<UidSet> known_uids;  // none: all
  // seq-match-data: these message numbers had these UIDs; empty if not given. Both sets have the same size.
  UidSet known_sequence;  // the values are message numbers
  UidSet known_sequence_uids;
};

struct SelectArgs {
  std::string mailbox;  // wire form
  bool condstore = false;
  std::optional<QresyncParameter> qresync;
};

Result<SelectArgs> parse_select(Cursor& cursor);

}  // namespace postkeep::imap
