// Gets what SORT and THREAD compare messages by: columns of the mailbox (storage/message_columns.h), read in turns that
// hold the account for a short time each and shared with it, not copied. Used by commands/sort and commands/thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "server/imap/context.h"
#include "storage/message_columns.h"

namespace postkeep::imap {

// Of messages of the view with these UIDs, in ascending order. Errors: those of AccountStore::message_keys; unavailable
// at a shutdown.
server::Awaitable<Result<std::vector<storage::MessageKeys>>> read_message_keys(Context& context, UidSet uids,
                                                                               std::vector<storage::Column> columns);

// Calls visit(number, cursors) for each message, in ascending order: `number` as the command counts, and a cursor for
// each column, which stands at the message. Those that another session removed meanwhile are left out. For a job beside
// the session, which waits for it.
template <class Visit>
void for_each_key(const std::vector<storage::MessageKeys>& keys, const storage::MailboxVersion& view, UidForm form,
                  Visit&& visit) {
  for (const storage::MessageKeys& part : keys) {
    std::vector<storage::ColumnCursor> cursors(part.columns.begin(), part.columns.end());
    view.for_each_in(part.uids, [&](SeqNum seq, const storage::MessageState& message) {
      const auto stands_there = [&](storage::ColumnCursor& cursor) { return cursor.find(message.uid); };
      if (!std::all_of(cursors.begin(), cursors.end(), stands_there)) return;
      visit(form == UidForm::yes ? message.uid.value() : seq.value(), std::span(cursors));
    });
  }
}

// RFC 5256 §2.2: the date of the header, or when the message came, where there is none that can be read.
inline std::int64_t sent_or_came(const storage::ColumnCursor& sent, const storage::ColumnCursor& came) {
  return sent.number() == storage::Column::none ? came.number() : sent.number();
}

}  // namespace postkeep::imap
