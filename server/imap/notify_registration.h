// What a session asked for with NOTIFY SET, and what has to be told when an account goes from one picture to another.
// RFC 5465 §3.1, §5, §6. Pure: no I/O, no coroutine. server/imap/notify_push takes the pictures and writes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/imap/commands/notify.h"
#include "storage/types.h"

namespace postkeep::imap {

// One group beside SELECTED, its names decoded.
struct NotifyRule {
  NotifyGroup::Filter filter = NotifyGroup::Filter::personal;
  std::vector<MailboxName> names;
  NotifyEvents events;

  // Names are matched anew each time, so mailboxes that the user gets later are covered too.
  bool covers(const storage::Mailbox& mailbox) const;
};

// The events of every rule that covers a mailbox, together.
struct NotifyRegistration {
  std::vector<NotifyRule> rules;
  NotifyEvents selected;          // nothing: message events of the selected mailbox are not wanted
  bool expunges_delayed = false;  // SELECTED-DELAYED

  NotifyEvents events_of(const storage::Mailbox& mailbox) const;
  bool empty() const { return rules.empty() && !selected.messages; }
  // Every mailbox that can matter, where the client has named each and does not ask what becomes of the names.
  std::optional<std::set<MailboxName>> names_alone() const;
};

// An account as far as a registration looks at it.
struct AccountPicture {
  std::vector<storage::Mailbox> mailboxes;  // as AccountStore::list_mailboxes() gives them: sorted by name
  // Of the mailboxes whose message events are wanted; the selected one is not among them.
  std::map<MailboxId, storage::MailboxStatus> states;
  std::set<MailboxName> made;  // since it was taken, by the client itself: of which it is not told (RFC 5465 §5)
};

// What the client itself did after the picture was taken, done to the picture; so it is no difference later.
void make_own(AccountPicture& picture, const MailboxName& name);
void delete_own(AccountPicture& picture, const MailboxName& name);
void rename_own(AccountPicture& picture, const MailboxName& from, const MailboxName& to);
void subscribe_own(AccountPicture& picture, const MailboxName& name, bool subscribed);
// New messages. Where others changed the mailbox too, all of it stays a difference.
void add_own(AccountPicture& picture, MailboxId mailbox, const UidSet& uids);
// Gives the mailboxes in before.made the ids that they have in `after`. To be called before the two are compared.
void expect_own(AccountPicture& before, const AccountPicture& after);

// A LIST response that is due.
struct NameNotice {
  storage::Mailbox mailbox;  // as it is now; exists is false for one that is gone
  bool has_children = false;
  std::optional<MailboxName> old_name;  // it was renamed
};
// What changed of the names, in the order in which it is to be told: each name once.
std::vector<NameNotice> name_notices(const NotifyRegistration& registration, const AccountPicture& before,
                                     const AccountPicture& after);

// A STATUS response that is due.
struct StateNotice {
  storage::Mailbox mailbox;
  storage::MailboxStatus status;
  bool flags = false;  // FlagChange is wanted: UNSEEN belongs to it
};
// A mailbox that `before` has no state of is told as it is: it is new, or was selected until now. `modseqs`: does the
// client know mod-sequences, so that a flag change that moves no count can be told (RFC 5465 §5.1)?
std::vector<StateNotice> state_notices(const NotifyRegistration& registration, const AccountPicture& before,
                                       const AccountPicture& after, bool modseqs);

}  // namespace postkeep::imap
