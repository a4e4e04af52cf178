// SEARCH and ESEARCH data. RFC 9051 §7.3.5, RFC 3501 §7.2.5, RFC 4731, RFC 7162 §3.1.5, §3.1.10.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/imap/command.h"
#include "protocol/imap/writer.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

// "* SEARCH 2 84 882", with "(MODSEQ n)" if the search asked for it and something was found. The numbers are
// UIDs or message numbers.
void write_search(Writer& writer, const UidSet& numbers, std::optional<ModSeq> highest_modseq);

// What was asked for and found; absent members are not printed.
struct EsearchData {
  std::string tag;
  UidForm uid = UidForm::no;
  std::optional<std::uint32_t> min;  // not printed when nothing was found (RFC 9051 §7.3.4)
  std::optional<std::uint32_t> max;
  std::optional<UidSet> all;      // likewise if empty
  std::optional<UidSet> partial;  // RFC 9394; NIL if empty
  std::string partial_range;      // as the client wrote it
  std::optional<std::uint64_t> count;
  std::optional<ModSeq> modseq;
};
void write_esearch(Writer& writer, const EsearchData& data);
// All but the CRLF: for SORT, which has its numbers in another order (responses/sort.h).
void write_esearch_start(Writer& writer, const EsearchData& data);

}  // namespace postkeep::imap
