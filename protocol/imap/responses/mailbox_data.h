// The short untagged responses about mailbox and server: EXISTS, RECENT, EXPUNGE, VANISHED, FLAGS, NAMESPACE, ID.
// RFC 9051 §7.3, §7.5, RFC 7162 §3.2.10, RFC 2971.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/imap/writer.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

void write_exists(Writer& writer, std::uint32_t count);
void write_recent(Writer& writer, std::uint32_t count);
void write_expunge(Writer& writer, SeqNum number);
// Is the message gone since before this session looked (RFC 7162 §3.2.10.1)?
enum class Earlier { no, yes };
void write_vanished(Writer& writer, const UidSet& uids, Earlier earlier);
// "* FLAGS (...)": flags that the mailbox has.
void write_flags(Writer& writer, const Flags& flags);

// One namespace of each kind that exists: prefix and separator. RFC 9051 §6.3.10.
struct NamespaceData {
  struct Entry {
    std::string prefix;
    char separator = '/';
  };
  std::vector<Entry> personal, other_users, shared;
};
void write_namespace(Writer& writer, const NamespaceData& data);

// "* ID NIL" if there are no fields.
void write_id(Writer& writer, const std::vector<std::pair<std::string, std::optional<std::string>>>& fields);

}  // namespace postkeep::imap
