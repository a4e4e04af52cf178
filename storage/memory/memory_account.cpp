// The memory backend's mailboxes: names, hierarchy, subscriptions, special-use, status.
#include "storage/memory/memory_account.h"

#include <algorithm>

namespace postkeep::storage::memory {
namespace {

std::uint32_t seconds_of(Clock& clock) {
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count());
}

std::shared_ptr<Folder> new_folder(AccountData& data, Clock& clock) {
  auto folder = std::make_shared<Folder>();
  folder->id = MailboxId(++data.last_mailbox_id);
  // Above any that the account ever had, and above those that it had before it was removed and made again.
  data.last_uid_validity = std::max(data.last_uid_validity + 1, seconds_of(clock));
  folder->uid_validity = UidValidity(data.last_uid_validity);
  MailboxVersion::Facts facts;
  facts.mailbox = folder->id;
  facts.uid_validity = folder->uid_validity;
  facts.uid_next = folder->uid_next;
  facts.highest_modseq = folder->highest_modseq;
  facts.first_recent = folder->first_recent;
  folder->version = MailboxVersion::build(facts, folder->interner.table(), {});
  return folder;
}

// RFC 6154 §2: these show messages of other mailboxes, which no mailbox of ours does.
bool is_virtual(SpecialUse use) {
  return use == SpecialUse::all || use == SpecialUse::flagged || use == SpecialUse::important;
}

tl::unexpected<Error> no_such_mailbox() { return failure(ErrorKind::not_found, "No such mailbox"); }

}  // namespace

std::shared_ptr<AccountData> make_account_data(Clock& clock) {
  auto data = std::make_shared<AccountData>();
  data->folders.emplace(MailboxName::inbox(), new_folder(*data, clock));
  return data;
}

MemoryAccount::MemoryAccount(std::shared_ptr<AccountData> data, StoreOptions options, Clock& clock,
                             ChangeListener listener)
    : data_(std::move(data)), options_(std::move(options)), clock_(clock), listener_(std::move(listener)) {}

bool MemoryAccount::has_inferiors(const MailboxName& name) const {
  return std::any_of(data_->folders.begin(), data_->folders.end(),
                     [&](const auto& entry) { return entry.first.is_under(name); });
}

Mailbox MemoryAccount::describe(const MailboxName& name) const {
  Mailbox mailbox;
  mailbox.name = name;
  mailbox.subscribed = data_->subscriptions.count(name) == 1;
  const auto at = data_->folders.find(name);
  mailbox.exists = at != data_->folders.end();
  if (mailbox.exists) {
    mailbox.id = at->second->id;
    mailbox.special_use = at->second->special_use;
    mailbox.uid_validity = at->second->uid_validity;
  }
  return mailbox;
}

Result<std::vector<Mailbox>> MemoryAccount::list_mailboxes() {
  std::set<MailboxName> names = data_->subscriptions;
  for (const auto& [name, folder] : data_->folders) {
    names.insert(name);
    for (auto superior = name.parent(); superior; superior = superior->parent()) names.insert(*superior);
  }
  std::vector<Mailbox> result;
  for (const MailboxName& name : names) result.push_back(describe(name));
  return result;
}

Result<Mailbox> MemoryAccount::find_mailbox(const MailboxName& name) {
  if (data_->folders.count(name) == 0) return no_such_mailbox();
  return describe(name);
}

MemoryAccount::FolderPtr MemoryAccount::make_folder(const MailboxName& name) {
  FolderPtr folder = new_folder(*data_, clock_);
  data_->folders[name] = folder;
  return folder;
}

void MemoryAccount::make_superiors(const MailboxName& name) {
  const auto superior = name.parent();
  if (!superior || data_->folders.count(*superior) == 1) return;
  make_superiors(*superior);
  make_folder(*superior);
}

Outcome MemoryAccount::check_new_name(const MailboxName& name) const {
  if (data_->folders.count(name) == 1) return failure(ErrorKind::already_exists, "There is such a mailbox already");
  std::size_t wanted = 1;
  for (auto superior = name.parent(); superior; superior = superior->parent()) {
    wanted += data_->folders.count(*superior) == 0 ? 1 : 0;
  }
  if (data_->folders.size() + wanted > options_.mailboxes_max) {
    return failure(ErrorKind::limit, "There are too many mailboxes");
  }
  return {};
}

Result<Mailbox> MemoryAccount::create_mailbox(const MailboxName& name, SpecialUse special_use) {
  TRY(check_new_name(name));
  if (is_virtual(special_use)) return failure(ErrorKind::use_attribute, "No mailbox here can have this special use");
  make_superiors(name);
  make_folder(name)->special_use = special_use;
  changed();
  return describe(name);
}

Outcome MemoryAccount::delete_mailbox(const MailboxName& name) {
  if (name.is_inbox()) return failure(ErrorKind::cannot, "INBOX cannot be deleted");
  if (data_->folders.erase(name) == 0) return no_such_mailbox();
  changed();
  return {};
}

Outcome MemoryAccount::rename_inbox(const MailboxName& to) {
  make_superiors(to);
  const FolderPtr inbox = data_->folders.at(MailboxName::inbox());
  const FolderPtr target = make_folder(to);
  TRY(copy_messages(*inbox, inbox->version->all_uids(), *target, Room::not_needed));
  commit(*inbox, UidSet(), inbox->version->all_uids());
  changed();
  return {};
}

Outcome MemoryAccount::rename_mailbox(const MailboxName& from, const MailboxName& to) {
  if (data_->folders.count(from) == 0) return no_such_mailbox();
  TRY(check_new_name(to));
  if (from.is_inbox()) return rename_inbox(to);
  if (to.is_under(from)) return failure(ErrorKind::cannot, "A mailbox cannot become its own inferior");
  std::vector<MailboxName> moving;
  for (const auto& [name, folder] : data_->folders) {
    if (name == from || name.is_under(from)) moving.push_back(name);
  }
  for (const MailboxName& name : moving) {
    if (data_->folders.count(name.moved(from, to)) == 1) {
      return failure(ErrorKind::already_exists, "There is such a mailbox already");
    }
  }
  make_superiors(to);
  for (const MailboxName& name : moving) {
    auto entry = data_->folders.extract(name);
    entry.key() = name.moved(from, to);
    data_->folders.insert(std::move(entry));
  }
  changed();
  return {};
}

Outcome MemoryAccount::subscribe(const MailboxName& name) {
  if (data_->subscriptions.insert(name).second) changed();
  return {};
}

Outcome MemoryAccount::unsubscribe(const MailboxName& name) {
  if (data_->subscriptions.erase(name) > 0) changed();
  return {};
}

Outcome MemoryAccount::set_special_use(const MailboxName& name, SpecialUse special_use) {
  const auto at = data_->folders.find(name);
  if (at == data_->folders.end()) return no_such_mailbox();
  if (is_virtual(special_use)) return failure(ErrorKind::use_attribute, "No mailbox here can have this special use");
  at->second->special_use = special_use;
  changed();
  return {};
}

Outcome MemoryAccount::ensure_default_mailboxes(const std::vector<std::pair<MailboxName, SpecialUse>>& wanted) {
  if (data_->has_defaults) return {};
  for (const auto& [name, use] : wanted) {
    if (data_->folders.count(name) == 0) {
      TRY(create_mailbox(name, use));
    } else if (data_->folders.at(name)->special_use == SpecialUse::none) {
      TRY(set_special_use(name, use));
    }
    TRY(subscribe(name));
  }
  data_->has_defaults = true;
  return {};
}

Result<MemoryAccount::FolderPtr> MemoryAccount::folder(MailboxId mailbox) const {
  for (const auto& [name, folder] : data_->folders) {
    if (folder->id == mailbox) return folder;
  }
  return no_such_mailbox();
}

Result<MailboxStatus> MemoryAccount::status(MailboxId mailbox) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  MailboxStatus status;
  for (const auto& [uid, message] : folder->messages) {
    ++status.messages;
    status.recent += uid >= folder->first_recent ? 1 : 0;
    status.unseen += message.flags.has(SystemFlag::seen) ? 0 : 1;
    status.deleted += message.flags.has(SystemFlag::deleted) ? 1 : 0;
    status.size += message.content->size();
  }
  status.uid_next = folder->uid_next;
  status.uid_validity = folder->uid_validity;
  status.highest_modseq = folder->highest_modseq;
  return status;
}

}  // namespace postkeep::storage::memory
