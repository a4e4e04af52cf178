// Files of a batch of messages, to be opened without the account. Made by AccountStore::find_files, used by jobs that
// read bodies.
#pragma once

#include <memory>

#include "protocol/base/result.h"
#include "protocol/mail/uid_set.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_state.h"
#include "storage/types.h"

namespace postkeep::storage {

// A message up to this size is read when it is opened.
inline constexpr std::uint64_t read_at_once_octets_max = 64 * 1024;

// Where the files are by the index; no file is touched. Costs about 200 octets a message.
Result<std::unique_ptr<MessageFiles>> files_of_messages(AccountContext& context, const MailboxState& box,
                                                        const UidSet& uids);

}  // namespace postkeep::storage
