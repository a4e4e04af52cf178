// SearchKey: the tree that a SEARCH program is parsed to. RFC 9051 §6.4.4, RFC 5032, RFC 7162, RFC 8474, RFC 8514.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"

namespace postkeep {

// A node. Which members mean something depends on `kind`, as its comment says.
struct SearchKey {
  enum class Kind {
    all,            // every message
    has_flag,       // flag: the message has it
    lacks_flag,     // flag
    has_keyword,    // text: keyword
    lacks_keyword,  // text
    recent,         // session's own notion; the server turns it into uid_set before asking storage
    not_recent,     // OLD; likewise
    unseen_recent,  // NEW; likewise
    sequence_set,   // numbers: message numbers; the server turns it into uid_set
    uid_sequence,   // numbers: UIDs as the client wrote them; the server turns it into uid_set
    uid_set,        // uids
    header,         // text: field name; needle: substring, "" matches if the field is there
    from,
    to,
    cc,
    bcc,
    subject,  // needle
    body,     // needle: in the text of the body
    text,     // needle: in header or body
    before,
    on,
    since,  // day: internal date (UTC), time and zone disregarded
    sent_before,
    sent_on,
    sent_since,  // day: Date: field as written
    saved_before,
    saved_on,
    saved_since,          // day: save date
    save_date_supported,  // always true here
    older,
    younger,  // number: seconds before now (RFC 5032)
    larger,
    smaller,  // number: octets of RFC822.SIZE
    modseq,   // number: MODSEQ at least this (RFC 7162 §3.1.5)
    email_id,
    thread_id,  // text: object id as on the wire
    and_,       // children, all of them
    or_,        // children, exactly two
    not_,       // children, exactly one
  };
  Kind kind = Kind::all;
  SystemFlag flag = SystemFlag::seen;
  std::string text;
  std::string needle;  // UTF-8, decoded from the command's CHARSET, not yet folded
  Day day;
  std::uint64_t number = 0;
  SequenceSet numbers;
  UidSet uids;
  std::vector<SearchKey> children;
};

}  // namespace postkeep
