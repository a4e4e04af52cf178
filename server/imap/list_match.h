// Which mailboxes LIST and LSUB answer with, and with which attributes. RFC 9051 §6.3.9, RFC 3501 §6.3.9
// (LSUB), RFC 5258, RFC 6154. Pure. Used by commands/list.cpp.
#pragma once

#include <string>
#include <vector>

#include "storage/types.h"

namespace postkeep::imap {

// What is asked for, in terms that do not depend on the wire's encoding or separator.
struct ListQuery {
  std::vector<std::string> patterns;  // UTF-8 with '/', wildcards '*' and '%'
  enum class Select {
    existing,     // LIST: what exists, and levels of hierarchy above it
    subscribed,   // LIST (SUBSCRIBED): exactly what is subscribed
    lsub,         // LSUB: the same, and with '%' levels of hierarchy above it
    special_use,  // LIST (SPECIAL-USE)
    subscribed_special_use,
  };
  Select select = Select::existing;
  bool recursive_match = false;
};

// One answer. Attributes that the client did not ask for are computed all the same: they cost nothing.
struct ListMatch {
  storage::Mailbox mailbox;
  bool has_children = false;  // something exists below it
  bool level_only = false;    // not selected itself, stands for what is below: \Noselect in LSUB, no STATUS in LIST
  bool child_info = false;    // CHILDINFO is due (RECURSIVEMATCH)
};

// `mailboxes` as AccountStore::list_mailboxes() gives them. The answers are sorted by name.
std::vector<ListMatch> match_mailboxes(std::vector<storage::Mailbox> mailboxes, const ListQuery& query);

// A pattern as a client wrote it, after its reference, in the terms of ListQuery. Parts in modified UTF-7 that
// cannot be decoded stay as they are, and match nothing.
std::string canonical_pattern(std::string_view reference, std::string_view pattern, MailboxName::Encoding encoding,
                              char separator);

}  // namespace postkeep::imap
