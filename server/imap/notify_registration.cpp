// See notify_registration.h.
#include "server/imap/notify_registration.h"

#include <algorithm>
#include <set>
#include <utility>

namespace postkeep::imap {

using storage::Mailbox;
using storage::MailboxStatus;

namespace {

bool is_named(const std::vector<MailboxName>& names, const MailboxName& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_below_one_of(const std::vector<MailboxName>& names, const MailboxName& name) {
  return std::any_of(names.begin(), names.end(), [&](const MailboxName& top) { return name.is_under(top); });
}

Mailbox* find(AccountPicture& picture, const MailboxName& name) {
  const auto found = std::find_if(picture.mailboxes.begin(), picture.mailboxes.end(),
                                  [&](const Mailbox& mailbox) { return mailbox.name == name; });
  return found == picture.mailboxes.end() ? nullptr : &*found;
}

// A name that is nothing else.
Mailbox subscription_to(const MailboxName& name) {
  Mailbox mailbox;
  mailbox.name = name;
  mailbox.exists = false;
  mailbox.subscribed = true;
  return mailbox;
}

using ById = std::map<MailboxId, const Mailbox*>;
using ByName = std::map<MailboxName, const Mailbox*>;

ById by_id(const AccountPicture& picture) {
  ById found;
  for (const Mailbox& mailbox : picture.mailboxes) {
    if (mailbox.exists) found.emplace(mailbox.id, &mailbox);
  }
  return found;
}

ByName by_name(const AccountPicture& picture) {
  ByName found;
  for (const Mailbox& mailbox : picture.mailboxes) found.emplace(mailbox.name, &mailbox);
  return found;
}

bool has_children(const AccountPicture& picture, const MailboxName& name) {
  return std::any_of(picture.mailboxes.begin(), picture.mailboxes.end(),
                     [&](const Mailbox& mailbox) { return mailbox.exists && mailbox.name.is_under(name); });
}

// Compares the names of two pictures and collects what is due.
class NameComparison {
 public:
  NameComparison(const NotifyRegistration& registration, const AccountPicture& before, const AccountPicture& after)
      : registration_(registration),
        after_(after),
        old_ids_(by_id(before)),
        old_names_(by_name(before)),
        new_ids_(by_id(after)),
        new_names_(by_name(after)) {}

  std::vector<NameNotice> run() {
    for (const auto& [id, old] : old_ids_) {
      const auto now = new_ids_.find(id);
      if (now == new_ids_.end()) {
        tell_gone(*old);
      } else if (now->second->name != old->name) {
        tell_renamed(*old, *now->second);
      }
    }
    for (const auto& [id, mailbox] : new_ids_) {
      if (old_ids_.count(id) == 0) tell_made(*mailbox);
    }
    for (const auto& [name, mailbox] : new_names_) tell_subscription(name, *mailbox);
    for (const auto& [name, old] : old_names_) {
      if (old->subscribed && new_names_.count(name) == 0) tell_forgotten(*old);
    }
    return std::move(notices_);
  }

 private:
  // The name as it is now.
  Mailbox now(const MailboxName& name) const {
    const auto found = new_names_.find(name);
    if (found != new_names_.end()) return *found->second;
    Mailbox gone;
    gone.name = name;
    gone.exists = false;
    return gone;
  }

  void add(const MailboxName& name, std::optional<MailboxName> old_name = std::nullopt) {
    if (!told_.insert(name).second) return;
    NameNotice notice;
    notice.mailbox = now(name);
    notice.has_children = has_children(after_, name);
    notice.old_name = std::move(old_name);
    notices_.push_back(std::move(notice));
  }

  // The direct parent is affected too (RFC 5465 §5.4).
  void tell_parent(const MailboxName& name) {
    const std::optional<MailboxName> parent = name.parent();
    if (parent && registration_.events_of(now(*parent)).mailbox_name) add(*parent);
  }

  void tell_made(const Mailbox& mailbox) {
    if (registration_.events_of(mailbox).mailbox_name) add(mailbox.name);
    tell_parent(mailbox.name);
  }

  void tell_gone(const Mailbox& old) {
    if (registration_.events_of(old).mailbox_name) add(old.name);
    tell_parent(old.name);
  }

  // A mailbox that came along with one above it is not told (RFC 5465 §5.4).
  void tell_renamed(const Mailbox& old, const Mailbox& mailbox) {
    for (auto up = old.name.parent(); up; up = up->parent()) {
      const auto above = old_names_.find(*up);
      if (above == old_names_.end() || !above->second->exists) continue;
      const auto moved = new_ids_.find(above->second->id);
      if (moved == new_ids_.end() || moved->second->name == *up) continue;
      if (mailbox.name == old.name.moved(*up, moved->second->name)) return;
    }
    const bool wanted = registration_.events_of(old).mailbox_name || registration_.events_of(mailbox).mailbox_name;
    if (wanted) add(mailbox.name, old.name);
  }

  void tell_subscription(const MailboxName& name, const Mailbox& mailbox) {
    const auto old = old_names_.find(name);
    const bool was = old != old_names_.end() && old->second->subscribed;
    if (was == mailbox.subscribed) return;
    const bool wanted = registration_.events_of(mailbox).subscription ||
                        (old != old_names_.end() && registration_.events_of(*old->second).subscription);
    if (wanted) add(name);
  }

  // A subscription to a name that was nothing else.
  void tell_forgotten(const Mailbox& old) {
    if (registration_.events_of(old).subscription) add(old.name);
  }

  const NotifyRegistration& registration_;
  const AccountPicture& after_;
  const ById old_ids_;
  const ByName old_names_;
  const ById new_ids_;
  const ByName new_names_;
  std::set<MailboxName> told_;
  std::vector<NameNotice> notices_;
};

bool differs(const MailboxStatus& before, const MailboxStatus& after, bool flags, bool modseqs) {
  if (before.messages != after.messages || before.uid_next != after.uid_next) return true;
  if (!flags) return false;
  if (before.unseen != after.unseen || before.uid_validity != after.uid_validity) return true;
  return modseqs && before.highest_modseq != after.highest_modseq;
}

}  // namespace

bool NotifyRule::covers(const Mailbox& mailbox) const {
  switch (filter) {
    case NotifyGroup::Filter::inboxes:  // mail can be delivered to any of them: as personal (RFC 5465 §6.3)
    case NotifyGroup::Filter::personal:
      return true;
    case NotifyGroup::Filter::subscribed:
      return mailbox.subscribed;
    case NotifyGroup::Filter::subtree:
      return is_named(names, mailbox.name) || is_below_one_of(names, mailbox.name);
    case NotifyGroup::Filter::mailboxes:
      return is_named(names, mailbox.name);
    case NotifyGroup::Filter::selected:
    case NotifyGroup::Filter::selected_delayed:
      return false;
  }
  return false;
}

NotifyEvents NotifyRegistration::events_of(const Mailbox& mailbox) const {
  NotifyEvents events;
  for (const NotifyRule& rule : rules) {
    if (!rule.covers(mailbox)) continue;
    events.messages = events.messages || rule.events.messages;
    events.flags = events.flags || rule.events.flags;
    events.mailbox_name = events.mailbox_name || rule.events.mailbox_name;
    events.subscription = events.subscription || rule.events.subscription;
  }
  return events;
}

std::optional<std::set<MailboxName>> NotifyRegistration::names_alone() const {
  std::set<MailboxName> names;
  for (const NotifyRule& rule : rules) {
    const bool named = rule.filter == NotifyGroup::Filter::mailboxes;
    if (!named || rule.events.mailbox_name || rule.events.subscription) return std::nullopt;
    names.insert(rule.names.begin(), rule.names.end());
  }
  return names;
}

void make_own(AccountPicture& picture, const MailboxName& name) {
  for (std::optional<MailboxName> up = name; up; up = up->parent()) {
    const Mailbox* known = find(picture, *up);
    if (known == nullptr || !known->exists) picture.made.insert(*up);
  }
}

void delete_own(AccountPicture& picture, const MailboxName& name) {
  picture.made.erase(name);
  Mailbox* known = find(picture, name);
  if (known == nullptr) return;
  picture.states.erase(known->id);
  known->exists = false;
  known->id = MailboxId();
}

// Subscriptions stay with the names.
void rename_own(AccountPicture& picture, const MailboxName& from, const MailboxName& to) {
  if (from.is_inbox()) return make_own(picture, to);
  const auto after = [&](const MailboxName& name) {
    return name == from || name.is_under(from) ? name.moved(from, to) : name;
  };
  std::set<MailboxName> made;
  for (const MailboxName& name : picture.made) made.insert(after(name));
  picture.made = std::move(made);
  make_own(picture, to);
  std::set<MailboxName> subscribed;
  for (const Mailbox& mailbox : picture.mailboxes) {
    if (mailbox.subscribed) subscribed.insert(mailbox.name);
  }
  std::erase_if(picture.mailboxes, [](const Mailbox& mailbox) { return !mailbox.exists; });
  for (Mailbox& mailbox : picture.mailboxes) {
    mailbox.name = after(mailbox.name);
    picture.made.erase(mailbox.name);
    mailbox.subscribed = subscribed.erase(mailbox.name) == 1;
  }
  for (const MailboxName& name : subscribed) picture.mailboxes.push_back(subscription_to(name));
}

void subscribe_own(AccountPicture& picture, const MailboxName& name, bool subscribed) {
  if (Mailbox* known = find(picture, name)) {
    known->subscribed = subscribed;
  } else if (subscribed) {
    picture.mailboxes.push_back(subscription_to(name));
  }
}

void add_own(AccountPicture& picture, MailboxId mailbox, const UidSet& uids) {
  const auto state = picture.states.find(mailbox);
  if (state == picture.states.end() || state->second.uid_next != uids.min()) return;
  state->second.messages += static_cast<std::uint32_t>(uids.size());
  state->second.uid_next = Uid(uids.max().value() + 1);
}

void expect_own(AccountPicture& before, const AccountPicture& after) {
  std::uint64_t gone = UINT64_MAX;
  for (const MailboxName& name : std::exchange(before.made, {})) {
    const auto now = std::find_if(after.mailboxes.begin(), after.mailboxes.end(),
                                  [&](const Mailbox& mailbox) { return mailbox.exists && mailbox.name == name; });
    if (find(before, name) == nullptr) {
      before.mailboxes.emplace_back();
      before.mailboxes.back().name = name;
    }
    Mailbox& made = *find(before, name);
    made.exists = true;
    // One that is gone again was deleted by somebody else: any id that no mailbox has will do.
    made.id = now == after.mailboxes.end() ? MailboxId(gone--) : now->id;
    const auto state = after.states.find(made.id);
    if (state != after.states.end() && state->second.messages == 0) before.states.emplace(made.id, state->second);
  }
}

std::vector<NameNotice> name_notices(const NotifyRegistration& registration, const AccountPicture& before,
                                     const AccountPicture& after) {
  return NameComparison(registration, before, after).run();
}

std::vector<StateNotice> state_notices(const NotifyRegistration& registration, const AccountPicture& before,
                                       const AccountPicture& after, bool modseqs) {
  std::vector<StateNotice> notices;
  for (const Mailbox& mailbox : after.mailboxes) {
    const auto now = mailbox.exists ? after.states.find(mailbox.id) : after.states.end();
    if (now == after.states.end()) continue;
    const bool flags = registration.events_of(mailbox).flags;
    const auto was = before.states.find(mailbox.id);
    if (was != before.states.end() && !differs(was->second, now->second, flags, modseqs)) continue;
    StateNotice notice;
    notice.mailbox = mailbox;
    notice.status = now->second;
    notice.flags = flags;
    notices.push_back(std::move(notice));
  }
  return notices;
}

}  // namespace postkeep::imap
