// One account of the memory backend: its data, and the AccountStore that works on them.
// Used by memory_store.cpp alone.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/account_store.h"
#include "storage/flag_interner.h"

namespace postkeep::storage::memory {

using Content = std::shared_ptr<const std::string>;

struct Message {
  Content content;  // shared by copies
  Flags flags;
  ModSeq modseq;
  UnixTime internal_date;
  UnixTime save_date;
};

struct Folder {
  MailboxId id;
  UidValidity uid_validity;
  SpecialUse special_use = SpecialUse::none;
  Uid uid_next{1};
  ModSeq highest_modseq{1};
  Uid first_recent{1};
  std::vector<std::string> keywords;  // in the spelling that came first
  std::map<Uid, Message> messages;
  std::map<Uid, ModSeq> expunged;
  FlagInterner interner;
  MailboxVersionPtr version;  // of all the above; replaced by commit()
};

// What an account is while nobody has it open.
struct AccountData {
  std::map<MailboxName, std::shared_ptr<Folder>> folders;
  std::set<MailboxName> subscriptions;
  std::uint64_t last_mailbox_id = 0;
  std::uint32_t last_uid_validity = 0;
  bool has_defaults = false;
  QuotaLimits quota;
};

// Complete once finish() was called; never changed after it.
class MemoryIncoming final : public Incoming {
 public:
  explicit MemoryIncoming(std::uint64_t limit) : limit_(limit) {}
  Outcome write(std::string_view bytes) override;
  Outcome encode_binary_parts() override;
  void set_internal_date(UnixTime) override {}
  Outcome finish() override;
  std::uint64_t size() const override { return bytes_->size(); }
  Content content() const { return finished_ ? bytes_ : nullptr; }

 private:
  std::shared_ptr<std::string> bytes_ = std::make_shared<std::string>();
  std::uint64_t limit_;
  bool finished_ = false;
};

class MemoryAccount final : public AccountStore {
 public:
  MemoryAccount(std::shared_ptr<AccountData> data, StoreOptions options, Clock& clock, ChangeListener listener);

  Result<std::vector<Mailbox>> list_mailboxes() override;
  Result<Mailbox> find_mailbox(const MailboxName& name) override;
  Result<Mailbox> create_mailbox(const MailboxName& name, SpecialUse special_use) override;
  Outcome delete_mailbox(const MailboxName& name) override;
  Outcome rename_mailbox(const MailboxName& from, const MailboxName& to) override;
  Outcome subscribe(const MailboxName& name) override;
  Outcome unsubscribe(const MailboxName& name) override;
  Outcome set_special_use(const MailboxName& name, SpecialUse special_use) override;
  Outcome ensure_default_mailboxes(const std::vector<std::pair<MailboxName, SpecialUse>>& wanted) override;
  Result<MailboxStatus> status(MailboxId mailbox) override;

  Result<MailboxVersionPtr> version(MailboxId mailbox) override;
  Result<Uid> claim_recent(MailboxId mailbox) override;
  Outcome refresh(MailboxId mailbox) override;
  Result<UidSet> expunged_since(MailboxId mailbox, ModSeq since) override;

  Result<std::shared_ptr<Incoming>> begin_incoming(std::uint64_t limit) override;
  Result<AppendResult> append(MailboxId mailbox, const std::vector<AppendItem>& items) override;
  Result<AppendResult> replace(MailboxId from, Uid uid, MailboxId to, const AppendItem& item) override;
  Result<std::vector<MessageRow>> fetch(MailboxId mailbox, const UidSet& uids, const FetchWants& wants) override;
  Outcome visit_rows(MailboxId mailbox, const UidSet& uids, const FetchWants& wants, const RowVisitor& visit) override;
  Result<std::unique_ptr<MessageFiles>> find_files(MailboxId mailbox, const UidSet& uids) override;
  Result<std::unique_ptr<MessageReader>> open_message(MailboxId mailbox, Uid uid) override;
  Result<StoreResult> store_flags(MailboxId mailbox, const UidSet& uids, FlagChange change, const Flags& flags,
                                  std::optional<ModSeq> unchanged_since) override;
  Result<CopyResult> copy(MailboxId from, const UidSet& uids, MailboxId to) override;
  Result<CopyResult> move(MailboxId from, const UidSet& uids, MailboxId to) override;
  Result<UidSet> expunge(MailboxId mailbox, const UidSet& uids) override;
  Result<UidSet> search(MailboxId mailbox, const SearchKey& key, const UidSet& candidates) override;
  Result<MessageKeys> message_keys(MailboxId mailbox, const UidSet& uids, const std::vector<Column>& columns) override;

  Result<Quota> quota() override;
  QuotaLimits quota_limits() const override;
  Outcome look_for_room(const QuotaUsage& added) const override;
  Outcome set_quota(const QuotaLimits& own) override;

  // Memory has no damage that the program could see.
  Result<std::vector<Finding>> check_account(Repair) override { return std::vector<Finding>(); }
  Result<std::vector<Finding>> check_mailbox(MailboxId mailbox, Repair) override;
  Result<std::vector<MessageToCheck>> messages_to_check(MailboxId mailbox, const UidSet& batch) override;
  Outcome forget_content(MailboxId mailbox, const UidSet& uids) override;

  Result<BackgroundState> background_step() override { return BackgroundState{}; }
  Outcome close() override { return {}; }
  bool watch(MailboxId) override { return false; }

 private:
  using FolderPtr = std::shared_ptr<Folder>;

  Result<FolderPtr> folder(MailboxId mailbox) const;
  FolderPtr make_folder(const MailboxName& name);
  void make_superiors(const MailboxName& name);
  bool has_inferiors(const MailboxName& name) const;
  Mailbox describe(const MailboxName& name) const;
  Outcome check_new_name(const MailboxName& name) const;
  Outcome rename_inbox(const MailboxName& to);

  UnixTime now() const;
  // The folder's keywords; those not in use are left out where the table is full.
  std::vector<std::string> known_keywords(const Folder& folder) const;
  // `flags` with keywords as `keywords` spells them, new ones added to it. Error: limit.
  Result<Flags> adopt_keywords(std::vector<std::string>& keywords, const Flags& flags) const;
  // Appends without a word to the listener. `freed`: what goes at the same time. Errors: see append().
  Result<AppendResult> put(Folder& folder, const std::vector<AppendItem>& items, const QuotaUsage& freed) const;
  // Error: quota_reached.
  Outcome check_room_for(const std::vector<Message>& messages, const QuotaUsage& freed = {}) const;
  QuotaUsage usage() const;
  // Error: limit, when the UIDs of the mailbox would run out (RFC 9051 §2.3.1.1 has 32 bits).
  Outcome check_uids_left(const Folder& folder, std::uint64_t wanted) const;
  enum class Room { checked, not_needed };
  Result<CopyResult> copy_messages(const Folder& from, const UidSet& uids, Folder& to, Room room) const;
  // Ends a change and makes the new version: `touched` were added or changed, all at one new modseq.
  void commit(Folder& folder, const UidSet& touched, const UidSet& removed) const;
  void changed() const {
    if (listener_) listener_();
  }

  std::shared_ptr<AccountData> data_;
  StoreOptions options_;
  Clock& clock_;
  ChangeListener listener_;
};

// INBOX and nothing else.
std::shared_ptr<AccountData> make_account_data(Clock& clock);

}  // namespace postkeep::storage::memory
