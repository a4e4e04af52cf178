// What the index keeps of a message's content: computed by reading the message once, when it is appended or when
// somebody first asks. Used by storage/account alone.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/base/result.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_state.h"
#include "storage/index/message_sql.h"
#include "storage/types.h"

namespace postkeep::storage {

struct ComputedFacts {
  CacheRow cache;
  std::uint64_t served = 0;
};
ComputedFacts computed_from(MessageRow row);
Result<ComputedFacts> compute_facts(MessageReader& reader);
// Of a file of ours, just put in place.
Result<ComputedFacts> compute_facts(FileSystem& files, const std::string& path);

// The message's file where its row says that it is. Errors: not_found if it is not there.
Result<std::unique_ptr<MessageReader>> open_as_named(AccountContext& context, const MailboxState& box,
                                                     const FileRow& file);

// The message's file, opened for serving. A file that is not under its name any more is looked for once by
// refreshing the mailbox. Errors: expunge_issued, corruption.
Result<std::unique_ptr<MessageReader>> open_file(AccountContext& context, MailboxState& box, Uid uid);

// The cache row, computed and stored (in a transaction of the caller's) if it was missing. The mailbox's octets are
// corrected in `row` when the served size turns out other than assumed.
Result<CacheRow> cached_facts(AccountContext& context, MailboxState& box, FileRow& file, MailboxRow& row);

// MessageRow::ends_in_crlf: from the cache row, or the last two octets of the file while there is none. Nothing is
// computed or stored for it. Errors: not_found when the file is not under its name.
Result<bool> ends_in_crlf(AccountContext& context, MailboxState& box, const FileRow& file);

// What a message adds to MailboxRow::octets: its size as served, or an upper bound while that is not known
// (RFC 8438 §4 allows no less).
std::uint64_t counted_octets(const FileRow& file);

}  // namespace postkeep::storage
