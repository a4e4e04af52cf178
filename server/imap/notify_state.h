// What NOTIFY left in a session (RFC 5465). On the heap, owned by the session's Context: a session that never used
// NOTIFY pays for one pointer.
#pragma once

#include <map>
#include <memory>

#include "protocol/mail/uid_set.h"
#include "server/imap/notify_registration.h"
#include "server/runtime/gateway.h"
#include "server/runtime/watch.h"

namespace postkeep::imap {

struct Notify {
  std::shared_ptr<const NotifyRegistration> registration = std::make_shared<NotifyRegistration>();
  std::shared_ptr<server::Watch> watch;                 // null: nothing is to be told between commands
  AccountPicture picture;                               // as the client was told
  std::map<MailboxId, server::FolderWatchPtr> folders;  // other programs' changes, of the mailboxes in picture.states
  MailboxId selected;                                   // which one the picture left out; 0: none
  // What the running command itself did to the selected mailbox. It is told even where message events are not wanted.
  bool own_change = false;
  UidSet own_added;  // not fetched unasked (RFC 5465 §5.2)
  UidSet own_seen;   // marked \Seen by reading
};

}  // namespace postkeep::imap
