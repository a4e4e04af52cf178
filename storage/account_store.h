// AccountStore: one user's mail. THE interface between sessions and storage; sessions never see SQLite,
// files or paths. Two implementations: storage/maildir_store (Maildir++ and SQLite) and
// storage/memory/memory_store (the model in tests); tests/storage/contract_*_test run over both.
//
// Blocking. Calls on one AccountStore are made one after another (the server's gateway has a strand per
// account); open_message's reader and begin_incoming's Incoming are independent of it. Values in, values
// out. What a call promises to be durable when it returns: see each one, and docs/architecture.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/search_key.h"
#include "storage/check.h"
#include "storage/mailbox_version.h"
#include "storage/message_columns.h"
#include "storage/quota.h"
#include "storage/types.h"

namespace postkeep::storage {

// Where the time comes from: the system in production, the test's hand in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::sys_time<std::chrono::microseconds> now() = 0;
};

// Told inside the call, after the commit, on the calling thread. The mark carries no data: whoever cares
// asks for the mailbox's current version. Must not call back into the store.
using ChangeListener = std::function<void()>;

// When background_step() wants to be called again.
struct BackgroundState {
  std::optional<std::chrono::milliseconds> due_in;  // none: nothing to do until something changes
};

class AccountStore {
 public:
  virtual ~AccountStore() = default;  // does not flush: close() does

  // --- Mailboxes -------------------------------------------------------------------------------------
  // All names, sorted by name: those that exist, and those that do not but have inferiors. A subscription
  // to a name that is neither is listed with exists = false too.
  virtual Result<std::vector<Mailbox>> list_mailboxes() = 0;
  // Errors: not_found.
  virtual Result<Mailbox> find_mailbox(const MailboxName& name) = 0;
  // Makes it and all missing superiors; not subscribed. Errors: already_exists, cannot, limit, use_attribute (\All,
  // \Flagged and \Important show messages of other mailboxes, which none here does; RFC 6154 §2).
  virtual Result<Mailbox> create_mailbox(const MailboxName& name, SpecialUse special_use = SpecialUse::none) = 0;
  // Errors: not_found, cannot (INBOX), has_children is not an error: the inferiors stay and the name
  // becomes \NonExistent. Subscriptions stay (RFC 9051 §6.3.5).
  virtual Outcome delete_mailbox(const MailboxName& name) = 0;
  // With its inferiors; superiors of `to` are made; subscriptions stay with the names. INBOX: its messages move to the
  // new mailbox, its inferiors stay (RFC 9051 §6.3.6). Errors: not_found (also for a name that only has inferiors),
  // already_exists (`to`, or a new name of an inferior), cannot (`to` is an inferior), limit.
  virtual Outcome rename_mailbox(const MailboxName& from, const MailboxName& to) = 0;
  virtual Outcome subscribe(const MailboxName& name) = 0;    // the name need not exist
  virtual Outcome unsubscribe(const MailboxName& name) = 0;  // no error if not subscribed
  // Errors: not_found, use_attribute.
  virtual Outcome set_special_use(const MailboxName& name, SpecialUse special_use) = 0;
  // First login: makes and subscribes the configured special-use mailboxes once per account.
  virtual Outcome ensure_default_mailboxes(const std::vector<std::pair<MailboxName, SpecialUse>>& wanted) = 0;
  // Errors: not_found.
  virtual Result<MailboxStatus> status(MailboxId mailbox) = 0;

  // --- Views -----------------------------------------------------------------------------------------
  // The newest version. All its UIDs, UIDNEXT and modseqs lie below a durable floor. Errors: not_found
  // when the mailbox was deleted.
  virtual Result<MailboxVersionPtr> version(MailboxId mailbox) = 0;
  // For SELECT (not EXAMINE): the messages from the returned UID on are \Recent to the caller and to
  // nobody after it (RFC 3501 §2.3.2).
  virtual Result<Uid> claim_recent(MailboxId mailbox) = 0;
  // Takes in what other programs did to the mailbox: cheap when nothing changed. Errors: not_found.
  virtual Outcome refresh(MailboxId mailbox) = 0;
  // QRESYNC: UIDs expunged after `since`, as far as known; everything absent below uid_next if it is
  // not known so far back (RFC 7162 §3.2.6).
  virtual Result<UidSet> expunged_since(MailboxId mailbox, ModSeq since) = 0;

  // --- Messages --------------------------------------------------------------------------------------
  // A place for a message on its way in; limit in octets. May be called and used from any thread.
  virtual Result<std::shared_ptr<Incoming>> begin_incoming(std::uint64_t limit) = 0;
  // All or nothing, durable when it returns. Errors: not_found, quota_reached, over_quota, limit (keywords),
  // unavailable.
  virtual Result<AppendResult> append(MailboxId mailbox, const std::vector<AppendItem>& items) = 0;
  // REPLACE (RFC 8508): appends `item` to `to` and removes `uid` from `from`, whatever its flags. Both are durable when
  // it returns, and nobody sees one without the other. After an unclean stop in between, and where the disk fails
  // there, both messages are left. Only what is gained needs room. Errors: those of append(); expunge_issued (`uid` is
  // gone).
  virtual Result<AppendResult> replace(MailboxId from, Uid uid, MailboxId to, const AppendItem& item) = 0;
  // Rows for those of `uids` that are there, ascending. The caller asks for batches (about 500).
  virtual Result<std::vector<MessageRow>> fetch(MailboxId mailbox, const UidSet& uids, const FetchWants& wants) = 0;
  // The same one row after another, without memory for each: `visit` is called from inside, may take what it likes out
  // of the row, and must not use the account. False from it: no more rows are wanted.
  using RowVisitor = std::function<bool(MessageRow& row)>;
  virtual Outcome visit_rows(MailboxId mailbox, const UidSet& uids, const FetchWants& wants,
                             const RowVisitor& visit) = 0;
  // For reading a batch of messages outside of the account. Those that are not there are not_found in it. Errors:
  // not_found (the mailbox).
  virtual Result<std::unique_ptr<MessageFiles>> find_files(MailboxId mailbox, const UidSet& uids) = 0;
  // Errors: not_found, expunge_issued (it is gone), corruption (the file is unreadable).
  virtual Result<std::unique_ptr<MessageReader>> open_message(MailboxId mailbox, Uid uid) = 0;
  // Durable when it returns. UIDs that are not there are ignored. unchanged_since: see StoreResult.
  virtual Result<StoreResult> store_flags(MailboxId mailbox, const UidSet& uids, FlagChange change, const Flags& flags,
                                          std::optional<ModSeq> unchanged_since = std::nullopt) = 0;
  // All or nothing, durable when it returns; flags, keywords and internal date go along, save date is now.
  // UIDs that are not there are ignored; the result may be empty. Copying a mailbox to itself is legal. Errors besides
  // those of append(): what is moved needs no room.
  virtual Result<CopyResult> copy(MailboxId from, const UidSet& uids, MailboxId to) = 0;
  virtual Result<CopyResult> move(MailboxId from, const UidSet& uids, MailboxId to) = 0;
  // Removes those of `uids` that have \Deleted; durable when it returns; returns what went.
  virtual Result<UidSet> expunge(MailboxId mailbox, const UidSet& uids) = 0;
  // The UIDs among `candidates` (a batch) that match. The key has no session-relative parts left
  // (sequence_set, uid_sequence, recent...). Substrings by i;unicode-casemap over decoded text.
  virtual Result<UidSet> search(MailboxId mailbox, const SearchKey& key, const UidSet& candidates) = 0;

  // What SORT and THREAD compare messages by, of as many of `uids` as can be read in one turn: at least one. The caller
  // asks for the rest again. Messages that are gone have no keys.
  virtual Result<MessageKeys> message_keys(MailboxId mailbox, const UidSet& uids,
                                           const std::vector<Column>& columns) = 0;

  // --- Quota (storage/quota.h) -----------------------------------------------------------------------
  virtual Result<Quota> quota() = 0;
  // The limits that hold: the account's own, or those of all. Costs nothing, unlike what is used.
  virtual QuotaLimits quota_limits() const = 0;
  // Whether so much may be added now. Reads no folder; nothing is kept free. Errors: quota_reached.
  virtual Outcome look_for_room(const QuotaUsage& added) const = 0;
  // The account's own limits, instead of StoreOptions::quota. Durable when it returns.
  virtual Outcome set_quota(const QuotaLimits& own) = 0;

  // --- Looking for damage (storage/check.h); each is one turn on the account --------------------------
  // The account as a whole: its index, and files that do not belong there.
  virtual Result<std::vector<Finding>> check_account(Repair repair) = 0;
  // One mailbox: the folder listed anew and compared with the index, its numbers, its files. Errors: not_found.
  virtual Result<std::vector<Finding>> check_mailbox(MailboxId mailbox, Repair repair) = 0;
  // Messages of a batch, for check_message(). Errors: not_found.
  virtual Result<std::vector<MessageToCheck>> messages_to_check(MailboxId mailbox, const UidSet& batch) = 0;
  // Whatever is kept of these messages' content is read from their files again. Errors: not_found.
  virtual Outcome forget_content(MailboxId mailbox, const UidSet& uids) = 0;

  // --- Housekeeping ----------------------------------------------------------------------------------
  // One slice (about 5 ms) of background work: flags to file names, unlinks, caches of foreign messages.
  virtual Result<BackgroundState> background_step() = 0;
  // Finishes what a clean stop promises (flags in the names) and releases everything.
  virtual Outcome close() = 0;
  // Folders to watch for changes by other programs; false where that is not possible (the caller polls
  // with refresh()). Watches are counted per mailbox and outlive this object: MailStore::unwatch().
  virtual bool watch(MailboxId mailbox) = 0;
};

// All accounts of one data_dir. Thread-safe.
class MailStore {
 public:
  virtual ~MailStore() = default;
  // Opens, making the account (INBOX) if it is not there, recovering what an unclean stop left. At most
  // one AccountStore of an account may be open at a time; the caller sees to that.
  virtual Result<std::unique_ptr<AccountStore>> open(const std::string& user, ChangeListener listener) = 0;
  virtual Result<bool> exists(const std::string& user) = 0;
  virtual Result<std::vector<std::string>> list_accounts() = 0;
  // Removes all mail of an account that is not open. Errors: not_found.
  virtual Outcome remove(const std::string& user) = 0;
  // Gives all mail of an account that is not open another name; durable when it returns. All or nothing, also across
  // a crash. Errors: not_found, already_exists (`to` has mail).
  virtual Outcome rename(const std::string& from, const std::string& to) = 0;
  // For deliveries to several accounts at once: an Incoming that belongs to none yet.
  virtual Result<std::shared_ptr<Incoming>> begin_incoming(std::uint64_t limit) = 0;
  // finish() of each of these, of begin_incoming(), with one wait for the disk. Outcomes in the same order.
  virtual std::vector<Outcome> finish_together(const std::vector<std::shared_ptr<Incoming>>& incoming) = 0;

  // Changes by other programs: a descriptor to wait on for reading (-1: not supported, poll instead), and
  // what it has to say: users and mailboxes to refresh(). `everything`: events were lost, refresh all watched.
  // `unwatched`: the folder was taken away from under its watch, which is gone with it: watch() it again.
  struct ForeignChange {
    std::string user;
    MailboxId mailbox;
    bool everything = false;
    bool unwatched = false;
  };
  virtual int foreign_change_descriptor() = 0;
  virtual std::vector<ForeignChange> take_foreign_changes() = 0;
  // As many as AccountStore::watch(). The account need not be open.
  virtual void unwatch(const std::string& user, MailboxId mailbox) = 0;
};

class FileSystem;

// What every backend gets.
struct StoreOptions {
  std::string data_dir;
  std::string hostname = "localhost";    // in file names
  std::uint32_t mailboxes_max = 10'000;  // per account
  std::uint32_t keywords_max = 500;      // per mailbox
  QuotaLimits quota;                     // of each account that has none of its own
  bool search_index = true;              // of message texts, for accounts where somebody searches them
  bool watch_folders = false;            // by inotify: for the file system of the machine only
};

// The backends: storage/backends.cpp has the table. Names: "maildir", "memory".
Result<std::unique_ptr<MailStore>> open_mail_store(std::string_view backend, StoreOptions options, FileSystem& files,
                                                   Clock& clock);

// The clock of the machine.
Clock& system_clock();

}  // namespace postkeep::storage
