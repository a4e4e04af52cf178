// What CONDSTORE and QRESYNC add to a session. RFC 7162. The commands call it where it says so; what is told when
// stands in updates (FETCH, VANISHED) and in the view (which modseq is safe to keep).
#pragma once

#include <cstdint>

#include "protocol/imap/responses/mailbox_data.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// A CONDSTORE enabling command (RFC 7162 §3.1) has come: from here on MODSEQ is told in every FETCH response that the
// client did not ask for. False if it was on already. The first one tells HIGHESTMODSEQ of a selected mailbox.
bool enable_condstore(Context& context);
// ENABLE QRESYNC (RFC 7162 §3.2.3). False if it was on already.
bool enable_qresync(Context& context);

// "* OK [HIGHESTMODSEQ n]" with what the client may keep.
void write_highest_modseq(Context& context);

// VANISHED, in lines of a size that clients can be trusted with.
server::Awaitable<void> write_vanished_lines(Context& context, UidSet uids, Earlier earlier);

// `* n FETCH (UID u FLAGS (...) MODSEQ (m))` of messages of the view: MODSEQ if the client wants it, FLAGS if `flags`
// says.
enum class TellFlags { no, yes };
server::Awaitable<void> write_changes(Context& context, UidSet uids, TellFlags flags);

}  // namespace postkeep::imap
