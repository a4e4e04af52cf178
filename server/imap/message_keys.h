// Reads, in batches, what SORT and THREAD compare messages by: rows of the index and the header fields that it keeps. A
// message's file is opened only where its header is too large to be kept. Used by commands/sort and commands/thread.
#pragma once

#include <cstdint>
#include <span>

#include "protocol/mime/header_fields.h"
#include "server/imap/context.h"
#include "storage/types.h"

namespace postkeep::imap {

// Gets message by message, in ascending order of numbers. Called on the storage pool while read_message_keys() waits
// for it.
class MessageKeySink {
 public:
  virtual ~MessageKeySink() = default;
  // `number`: the UID, or the message's number, as the command counts. `fields`: of the header, if it was wanted.
  virtual void add(std::uint32_t number, const storage::MessageRow& row, std::span<const mime::HeaderField> fields) = 0;
};

// Of the messages of the view that have these UIDs; those that another session removed meanwhile are left out. The sink
// outlives the call. Errors: those of AccountStore::fetch and open_message; unavailable at a shutdown.
server::Awaitable<Outcome> read_message_keys(Context& context, UidSet uids, storage::FetchWants wants,
                                             MessageKeySink& sink);

}  // namespace postkeep::imap
