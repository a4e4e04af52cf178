// Expiry: which messages QUIT deletes besides those that the client named: what POP3 clients have fetched and left,
// after pop3.expire_days (RFC 2449 §6.7). Called by QUIT and by the session that marks what it sent.
#pragma once

#include <string_view>

#include "server/pop3/context.h"

namespace postkeep::pop3 {

// A keyword that messages get which RETR has sent, where they expire. \Seen would not do: IMAP sets it as well, and
// what somebody has read there must not go.
inline constexpr std::string_view retrieved_keyword = "$POP3Retrieved";

// Messages of the maildrop that RETR has sent, in any session (where expire_days is 0: in this one), that came into
// INBOX so many days ago, and that nobody has flagged. Empty where nothing expires. Errors: unavailable, corruption.
server::Awaitable<Result<UidSet>> expired_messages(Context& context);

}  // namespace postkeep::pop3
