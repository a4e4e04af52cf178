// MaildirAccount: AccountStore over Maildir++ and index.sqlite. Decides which part does what and tells the listener;
// the work is done by its neighbours in storage/account. Made by MaildirMailStore. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/account/context.h"
#include "storage/account/folder_watches.h"
#include "storage/account/mailbox_list.h"
#include "storage/account/message_transfer.h"
#include "storage/account/reconcile.h"
#include "storage/account/text_index.h"
#include "storage/account_store.h"

namespace postkeep::storage {

class MaildirAccount final : public AccountStore {
 public:
  // Opens the account at `path`, making what is missing, recovering what an unclean stop left.
  static Result<std::unique_ptr<MaildirAccount>> open(StoreShared& store, FolderWatches& watches, std::string user,
                                                      std::string path, ChangeListener listener);

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

  Result<std::vector<Finding>> check_account(Repair repair) override;
  Result<std::vector<Finding>> check_mailbox(MailboxId mailbox, Repair repair) override;
  Result<std::vector<MessageToCheck>> messages_to_check(MailboxId mailbox, const UidSet& batch) override;
  Outcome forget_content(MailboxId mailbox, const UidSet& uids) override;

  Result<BackgroundState> background_step() override;
  Outcome close() override;
  bool watch(MailboxId mailbox) override;

 private:
  // When flags may be written to names: after a second of quiet, after five at the latest.
  struct FlagTimer {
    std::int64_t first_us = 0;  // 0: nothing pending that we know of
    std::int64_t last_us = 0;
  };

  MaildirAccount(StoreShared& store, FolderWatches& watches, std::string user, std::string path,
                 ChangeListener listener)
      : context_(store, std::move(path)),
        mailboxes_(context_),
        texts_(context_, mailboxes_),
        watches_(watches),
        user_(std::move(user)),
        listener_(std::move(listener)) {}
  Outcome open_files();
  Outcome open_index_and_mailboxes();
  // A damaged index is put aside and filled again from the folders. What was pending in it is lost.
  Outcome replace_damaged_index();
  Outcome rebuild_index();
  // Passes `result` on; an error that may mean a damaged index is looked into by the next call.
  template <class R>
  R watched(R result) {
    if (!result && result.error().kind == ErrorKind::corruption) index_doubtful_ = true;
    return result;
  }
  Outcome make_account();

  Result<MailboxState*> find(MailboxId mailbox);
  // A mailbox whose row and version may be believed.
  Result<MailboxState*> ready(MailboxId mailbox);
  // Rows of messages that the index does not know all about, or whose files may have moved.
  Result<std::vector<MessageRow>> fetch_with_files(MailboxState& box, const UidSet& uids, const FetchWants& wants);
  Result<std::vector<MessageRow>> fetch_present(MailboxState& box, const UidSet& uids, const FetchWants& wants,
                                                UidSet& missing);
  Result<UidSet> search_stage(MailboxId mailbox, const SearchKey& key, const UidSet& candidates);
  // Of messages that are there, in the order of `columns`; what nobody asked for before is read.
  Result<std::vector<ColumnPieces>> columns_of(MailboxState& box, const UidSet& uids,
                                               const std::vector<Column>& columns);
  Result<std::vector<ColumnPiece>> read_columns(MailboxState& box, const UidSet& uids,
                                                const std::vector<Column>& columns);
  Result<CopyResult> transfer(TransferKind kind, MailboxId from, const UidSet& uids, MailboxId to);
  Outcome rename_inbox(const MailboxName& to);
  QuotaLimits own_quota() const;
  QuotaUsage usage() const;
  // Errors: quota_reached.
  Outcome check_room_for(const std::vector<AppendItem>& items) const;
  Outcome check_room_for(const MailboxState& source, const UidSet& uids) const;
  // Likewise for `item` in place of `uid`.
  Outcome check_room_instead(const MailboxState& source, Uid uid, const AppendItem& item) const;
  Outcome change_account_file(const maildir::AccountFile& changed);
  Result<MessageRow> fetch_one(MailboxState& box, FileRow& file, const FetchWants& wants,
                               std::optional<IndexChange>& change, MailboxRow& row);
  Result<std::optional<std::chrono::milliseconds>> write_due_flags();
  Outcome write_all_flags();
  Result<BackgroundState> background_slice();
  // How long until texts are indexed; none if there are none to.
  Result<std::optional<std::chrono::milliseconds>> index_due_texts();
  void note_flag_change();
  void changed() {
    last_change_us_ = context_.now_us();
    if (listener_) listener_();
  }

  AccountContext context_;
  MailboxList mailboxes_;
  TextIndex texts_;
  FolderWatches& watches_;
  std::string user_;
  ChangeListener listener_;
  FlagTimer flag_timer_;
  std::int64_t last_change_us_ = 0;
  std::int64_t texts_wait_since_us_ = 0;  // 0: none do
  bool flags_checked_ = false;            // whether an earlier run left flags pending
  bool index_doubtful_ = false;
  bool closed_ = false;
};

}  // namespace postkeep::storage
