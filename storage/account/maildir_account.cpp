#include "storage/account/maildir_account.h"

#include <algorithm>

#include "storage/account/background.h"
#include "storage/account/message_cache.h"
#include "storage/account/message_changes.h"
#include "storage/account/recovery.h"
#include "storage/maildir/generation.h"
#include "storage/maildir/layout.h"
#include "storage/spool.h"

namespace postkeep::storage {
namespace {

constexpr char index_file_name[] = "index.sqlite";
constexpr std::int64_t flags_quiet_us = 1'000'000;
constexpr std::int64_t flags_latest_us = 5'000'000;
// Indexing waits for a pause, so that it takes nothing from deliveries, but not for ever.
constexpr std::int64_t texts_quiet_us = 250'000;
constexpr std::int64_t texts_latest_us = 10'000'000;
// Accounts that are closed and still on the list of those in use. After an unclean stop each is listed once.
constexpr std::size_t in_use_kept = 4096;

}  // namespace

// --- Opening and closing ---

Result<std::unique_ptr<MaildirAccount>> MaildirAccount::open(StoreShared& store, FolderWatches& watches,
                                                             std::string user, std::string path,
                                                             ChangeListener listener) {
  std::unique_ptr<MaildirAccount> account(
      new MaildirAccount(store, watches, std::move(user), std::move(path), std::move(listener)));
  TRY(account->open_files());
  return account;
}

Outcome MaildirAccount::open_files() {
  context_.next_intent = static_cast<std::uint64_t>(std::max<std::int64_t>(1, context_.now_us()));
  Result<maildir::AccountFile> file = maildir::read_account_file(context_.files(), context_.path);
  if (file) {
    context_.file = std::move(*file);
  } else if (file.error().kind == ErrorKind::not_found) {
    TRY(make_account());
  } else {
    return tl::unexpected<Error>(file.error());
  }
  return watched(open_index_and_mailboxes()).or_else([&](const Error& error) -> Outcome {
    if (!index_doubtful_) return tl::unexpected<Error>(error);
    TRY(replace_damaged_index());
    return mailboxes_.all().empty() ? Outcome(tl::unexpected<Error>(error)) : Outcome();
  });
}

Outcome MaildirAccount::open_index_and_mailboxes() {
  const std::vector<std::string> names = TRY(context_.files().list(context_.path));
  context_.told_generation = maildir::generation_among(names);
  const std::uint64_t oldest = std::max(context_.told_generation, context_.file.generation);
  OpenedIndex opened =
      TRY(open_index(context_.files(), context_.path + "/" + index_file_name, static_cast<std::int64_t>(oldest)));
  context_.index = std::move(opened.database);
  context_.facts = opened.facts;
  if (opened.fresh) TRY(texts_.remove_file());
  texts_.reset();
  // An intent may be older than the first write to the index, which still says that all was in good order.
  const Recovered recovered = TRY(recover_intents(context_, names));
  if (opened.fresh) return mailboxes_.open(MailboxList::IndexState::fresh);
  const bool doubtful = context_.store.in_use.doubtful(context_.directory());
  const bool current = opened.facts.clean && !doubtful && recovered == Recovered::nothing;
  return mailboxes_.open(current ? MailboxList::IndexState::current : MailboxList::IndexState::unclean);
}

Outcome MaildirAccount::replace_damaged_index() {
  index_doubtful_ = false;
  if (context_.index && context_.index->quick_check()) return {};  // the damage is elsewhere
  return rebuild_index();
}

Outcome MaildirAccount::rebuild_index() {
  context_.index.reset();
  context_.commits_are_lazy = true;
  mailboxes_.clear();
  TRY(put_index_aside(context_.files(), context_.path + "/" + index_file_name));
  return open_index_and_mailboxes();
}

// A new account, or one that lost postkeep-account. The folder file of INBOX is made by reading the folders.
Outcome MaildirAccount::make_account() {
  TRY(maildir::MessageFolder(context_.files(), context_.path).make());
  TRY(context_.files().sync_directory(parent_directory(context_.path)));
  const maildir::FolderListing listing = TRY(maildir::list_folders(context_.files(), context_.path));
  for (const maildir::Folder& folder : listing.folders) {
    const Result<maildir::MailboxFile> there =
        maildir::read_mailbox_file(context_.files(), maildir::folder_path(context_.path, folder.directory));
    if (!there) continue;
    context_.file.mailbox_id_floor = std::max(context_.file.mailbox_id_floor, there->id.value() + 1);
    context_.file.uid_validity_floor =
        std::max(context_.file.uid_validity_floor, UidValidity(there->uid_validity.value() + 1));
  }
  return save_account_file(context_);
}

Outcome MaildirAccount::close() {
  if (closed_) return {};
  Outcome settled = mailboxes_.settle();
  TRY(write_all_flags());
  if (context_.file_in_doubt) TRY(save_account_file(context_));
  bool times_learnt = false;
  for (const auto& [name, box] : mailboxes_.all()) times_learnt = times_learnt || box->listing_us > 0;
  if (!context_.facts.clean || times_learnt) {
    IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
    for (const auto& [name, box] : mailboxes_.all()) TRY(save_mailbox_row(*context_.index, box->row));
    IndexFacts facts = context_.facts;
    if (facts.clean) ++facts.generation;  // begin() has written that already
    facts.clean = true;
    TRY(save_index_facts(*context_.index, facts));
    TRY(change.commit());
    context_.facts.clean = true;
    TRY(save_generation(context_));
    TRY(context_.index->checkpoint());
    context_.store.in_use.leave(context_.directory());
  }
  texts_.close();
  context_.index.reset();
  closed_ = true;
  // What cannot be taken off the list now stays on it: that costs a listing after an unclean stop.
  (void)context_.store.in_use.shorten(in_use_kept);
  return settled;
}

// --- Mailboxes ---

Result<MailboxState*> MaildirAccount::find(MailboxId mailbox) {
  if (index_doubtful_) TRY(replace_damaged_index());
  MailboxState* box = TRY(mailboxes_.find(mailbox));
  TRY(watched(load_mailbox(context_, *box)));
  return box;
}

Result<MailboxState*> MaildirAccount::ready(MailboxId mailbox) {
  MailboxState* box = TRY(find(mailbox));
  if (box->row.scan_needed) TRY(watched(reconcile(context_, *box)));
  TRY(watched(load_version(context_, *box)));
  return box;
}

Result<std::vector<Mailbox>> MaildirAccount::list_mailboxes() {
  TRY(mailboxes_.refresh());
  return mailboxes_.list();
}

Result<Mailbox> MaildirAccount::find_mailbox(const MailboxName& name) {
  TRY(mailboxes_.refresh());
  const MailboxState* box = mailboxes_.find(name);
  if (box == nullptr) return failure(ErrorKind::not_found, "No such mailbox");
  return mailboxes_.describe(*box);
}

Result<Mailbox> MaildirAccount::create_mailbox(const MailboxName& name, SpecialUse special_use) {
  const MailboxState* box = TRY(mailboxes_.create(name, special_use));
  changed();
  return mailboxes_.describe(*box);
}

Outcome MaildirAccount::delete_mailbox(const MailboxName& name) {
  TRY(mailboxes_.remove(name));
  changed();
  return {};
}

Outcome MaildirAccount::rename_mailbox(const MailboxName& from, const MailboxName& to) {
  if (from.is_inbox()) {
    TRY(rename_inbox(to));
  } else {
    TRY(mailboxes_.rename(from, to));
  }
  changed();
  return {};
}

// RFC 9051 §6.3.6: INBOX stays, empty; its messages go.
Outcome MaildirAccount::rename_inbox(const MailboxName& to) {
  const MailboxId inbox = mailboxes_.find(MailboxName::inbox())->row.id;
  const MailboxState* target = TRY(mailboxes_.create(to, SpecialUse::none));
  const MailboxState* source = TRY(ready(inbox));
  TRY(transfer(TransferKind::move, inbox, source->version->all_uids(), target->row.id));
  return {};
}

Outcome MaildirAccount::change_account_file(const maildir::AccountFile& wanted) {
  if (wanted == context_.file) return {};
  context_.file_in_doubt = true;
  TRY(maildir::write_account_file(context_.files(), context_.path, wanted));
  context_.file_in_doubt = false;
  context_.file = wanted;
  changed();
  return {};
}

Outcome MaildirAccount::subscribe(const MailboxName& name) {
  maildir::AccountFile file = context_.file;
  file.subscriptions.insert(name.utf8());
  return change_account_file(file);
}

Outcome MaildirAccount::unsubscribe(const MailboxName& name) {
  maildir::AccountFile file = context_.file;
  file.subscriptions.erase(name.utf8());
  return change_account_file(file);
}

Outcome MaildirAccount::set_special_use(const MailboxName& name, SpecialUse special_use) {
  TRY(mailboxes_.set_special_use(name, special_use));
  changed();
  return {};
}

Outcome MaildirAccount::ensure_default_mailboxes(const std::vector<std::pair<MailboxName, SpecialUse>>& wanted) {
  if (context_.file.defaults_made) return {};
  for (const auto& [name, use] : wanted) {
    const MailboxState* box = mailboxes_.find(name);
    if (box == nullptr) {
      TRY(mailboxes_.create(name, use));
    } else if (box->row.special_use == SpecialUse::none) {
      TRY(mailboxes_.set_special_use(name, use));
    }
  }
  maildir::AccountFile file = context_.file;
  for (const auto& [name, use] : wanted) file.subscriptions.insert(name.utf8());
  file.defaults_made = true;
  return change_account_file(file);
}

Result<MailboxStatus> MaildirAccount::status(MailboxId mailbox) {
  MailboxState* box = TRY(find(mailbox));
  if (box->row.scan_needed) TRY(watched(reconcile(context_, *box)));
  const MailboxRow& row = box->row;
  MailboxStatus status;
  status.messages = row.messages;
  status.unseen = row.messages - row.seen;
  status.deleted = row.deleted;
  status.size = row.octets;
  status.uid_next = row.uid_next;
  status.uid_validity = row.uid_validity;
  status.highest_modseq = row.highest_modseq;
  if (row.first_recent < row.uid_next) {
    status.recent = TRY(count_messages_from(*context_.index, row.key, row.first_recent));
  }
  return status;
}

// --- Views ---

Result<MailboxVersionPtr> MaildirAccount::version(MailboxId mailbox) { return TRY(ready(mailbox))->version; }

Result<Uid> MaildirAccount::claim_recent(MailboxId mailbox) {
  MailboxState* box = TRY(ready(mailbox));
  const Uid first = box->row.first_recent;
  if (first == box->row.uid_next) return first;
  MailboxRow row = box->row;
  row.first_recent = row.uid_next;
  IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
  TRY(save_mailbox_row(*context_.index, row));
  TRY(change.commit());
  advance(*box, std::move(row), {}, {});
  return first;
}

Outcome MaildirAccount::refresh(MailboxId mailbox) {
  const FolderWatches::Events events = watches_.take(user_, mailbox);  // also of a mailbox that is gone, to forget it
  MailboxState* box = TRY(find(mailbox));
  // The folder's times change with our own deliveries too, and cannot tell two changes within one tick apart; the
  // watch can.
  const bool ours = TRY(watched(all_ours(context_, *box, events)));
  Found found = Found::nothing_new;
  if (!ours || !events.since_listed || box->row.scan_needed) {
    found = TRY(watched(ours ? refresh_mailbox(context_, *box) : reconcile(context_, *box)));
  }
  if (found == Found::changes) changed();
  if (found != Found::not_looked) watches_.note_listed(user_, mailbox);
  return {};
}

Result<UidSet> MaildirAccount::expunged_since(MailboxId mailbox, ModSeq since) {
  const MailboxState* box = TRY(ready(mailbox));
  if (since >= box->row.expunges_known_since) {
    return TRY(load_expunged(*context_.index, box->row.key, since)).subtract(box->version->all_uids());
  }
  // RFC 7162 §3.2.6: what is not known so far back is reported as gone if it is not there.
  const UidSet ever = UidSet::of_range(Uid(1), Uid(box->row.uid_next.value() - 1));
  return ever.subtract(box->version->all_uids());
}

// --- Messages ---

Result<std::shared_ptr<Incoming>> MaildirAccount::begin_incoming(std::uint64_t limit) {
  StoreShared& store = context_.store;
  return TRY(Spool::create(store.files, store.clock, store.spool_directory(), store.names, limit));
}

Result<AppendResult> MaildirAccount::append(MailboxId mailbox, const std::vector<AppendItem>& items) {
  MailboxState* box = TRY(find(mailbox));
  TRY(check_room_for(items));
  AppendResult result = TRY(watched(append_messages(context_, *box, items)));
  if (!result.uids.empty()) changed();
  return result;
}

Result<AppendResult> MaildirAccount::replace(MailboxId from, Uid uid, MailboxId to, const AppendItem& item) {
  MailboxState* source = TRY(ready(from));
  MailboxState* target = TRY(find(to));
  if (!source->version->find(uid)) return failure(ErrorKind::expunge_issued, "The message is gone");
  TRY(check_room_instead(*source, uid, item));
  Result<AppendResult> result = watched(replace_message(context_, *source, uid, *target, item));
  changed();  // also with an error: the new message may be there
  return result;
}

Result<std::unique_ptr<MessageReader>> MaildirAccount::open_message(MailboxId mailbox, Uid uid) {
  MailboxState* box = TRY(ready(mailbox));
  return watched(open_file(context_, *box, uid));
}

void MaildirAccount::note_flag_change() {
  flag_timer_.last_us = context_.now_us();
  if (flag_timer_.first_us == 0) flag_timer_.first_us = flag_timer_.last_us;
}

Result<StoreResult> MaildirAccount::store_flags(MailboxId mailbox, const UidSet& uids, FlagChange change,
                                                const Flags& flags, std::optional<ModSeq> unchanged_since) {
  MailboxState* box = TRY(ready(mailbox));
  StoreRequest request;
  request.uids = uids;
  request.change = change;
  request.flags = flags;
  request.unchanged_since = unchanged_since;
  StoreResult result = TRY(watched(store_message_flags(context_, *box, request)));
  if (!result.changed.empty()) {
    note_flag_change();
    changed();
  }
  return result;
}

Result<CopyResult> MaildirAccount::transfer(TransferKind kind, MailboxId from, const UidSet& uids, MailboxId to) {
  MailboxState* source = TRY(ready(from));
  MailboxState* target = TRY(find(to));
  if (kind == TransferKind::copy) TRY(check_room_for(*source, uids));
  Result<CopyResult> result = transfer_messages(context_, kind, *source, uids, *target);
  if (!result && result.error().kind == ErrorKind::not_found) {
    // Another program renamed or removed a file: look again, once.
    TRY(reconcile(context_, *source));
    result = transfer_messages(context_, kind, *source, uids, *target);
  }
  if (result && !result->source.empty()) changed();
  return watched(std::move(result));
}

Result<CopyResult> MaildirAccount::copy(MailboxId from, const UidSet& uids, MailboxId to) {
  return transfer(TransferKind::copy, from, uids, to);
}

Result<CopyResult> MaildirAccount::move(MailboxId from, const UidSet& uids, MailboxId to) {
  return transfer(TransferKind::move, from, uids, to);
}

Result<UidSet> MaildirAccount::expunge(MailboxId mailbox, const UidSet& uids) {
  MailboxState* box = TRY(ready(mailbox));
  UidSet gone = TRY(watched(expunge_messages(context_, *box, uids)));
  if (!gone.empty()) changed();
  return gone;
}

// --- Quota ---

QuotaLimits MaildirAccount::own_quota() const {
  return QuotaLimits{context_.file.quota_octets, context_.file.quota_messages};
}

QuotaLimits MaildirAccount::quota_limits() const { return limits_of(own_quota(), context_.store.options.quota); }

QuotaUsage MaildirAccount::usage() const {
  QuotaUsage used;
  for (const auto& [name, box] : mailboxes_.all()) {
    used.octets += box->row.octets;
    used.messages += box->row.messages;
  }
  return used;
}

Result<Quota> MaildirAccount::quota() {
  for (const auto& [name, box] : mailboxes_.all()) {
    if (box->row.scan_needed) TRY(watched(reconcile(context_, *box)));
  }
  return Quota{usage(), quota_limits(), own_quota()};
}

Outcome MaildirAccount::look_for_room(const QuotaUsage& added) const {
  if (quota_limits() == QuotaLimits()) return {};  // adding up what is there costs time with many mailboxes
  return check_room(quota_limits(), usage(), added);
}

Outcome MaildirAccount::set_quota(const QuotaLimits& own) {
  maildir::AccountFile file = context_.file;
  file.quota_octets = own.octets;
  file.quota_messages = own.messages;
  return change_account_file(file);
}

Outcome MaildirAccount::check_room_for(const std::vector<AppendItem>& items) const {
  QuotaUsage added;
  added.messages = items.size();
  for (const AppendItem& item : items) added.octets += item.message->size();
  return look_for_room(added);
}

Outcome MaildirAccount::check_room_for(const MailboxState& source, const UidSet& uids) const {
  if (quota_limits() == QuotaLimits()) return {};
  QuotaUsage added;
  for (const FileRow& file : TRY(load_files(*context_.index, source.row.key, source.version->existing(uids)))) {
    ++added.messages;
    added.octets += counted_octets(file);
  }
  return check_room(quota_limits(), usage(), added);
}

Outcome MaildirAccount::check_room_instead(const MailboxState& source, Uid uid, const AppendItem& item) const {
  if (quota_limits() == QuotaLimits()) return {};
  QuotaUsage freed;
  for (const FileRow& file : TRY(load_files(*context_.index, source.row.key, UidSet{uid}))) {
    ++freed.messages;
    freed.octets += counted_octets(file);
  }
  return check_room_instead_of(quota_limits(), usage(), freed, QuotaUsage{item.message->size(), 1});
}

// --- Housekeeping ---

// How long until flags are due; none if none are pending.
Result<std::optional<std::chrono::milliseconds>> MaildirAccount::write_due_flags() {
  using std::chrono::milliseconds;
  if (!flags_checked_) {
    if (TRY(has_work(*context_.index, Work::flags)) && flag_timer_.first_us == 0) flag_timer_.first_us = 1;
    flags_checked_ = true;
  }
  if (flag_timer_.first_us == 0) return std::optional<milliseconds>();
  const std::int64_t due_us =
      std::min(flag_timer_.last_us + flags_quiet_us, flag_timer_.first_us + flags_latest_us) - context_.now_us();
  if (due_us > 0) return std::optional<milliseconds>(milliseconds(due_us / 1000 + 1));
  if (TRY(write_flags_slice(context_, mailboxes_)) == Slice::more) return std::optional<milliseconds>(milliseconds(0));
  flag_timer_ = FlagTimer();
  return std::optional<milliseconds>();
}

Result<std::optional<std::chrono::milliseconds>> MaildirAccount::index_due_texts() {
  using std::chrono::milliseconds;
  if (!TRY(texts_.has_work())) {
    texts_wait_since_us_ = 0;
    return std::optional<milliseconds>();
  }
  const std::int64_t now_us = context_.now_us();
  if (texts_wait_since_us_ == 0) texts_wait_since_us_ = now_us;
  const std::int64_t due_us =
      std::min(last_change_us_ + texts_quiet_us, texts_wait_since_us_ + texts_latest_us) - now_us;
  if (due_us > 0) return std::optional<milliseconds>(milliseconds(due_us / 1000 + 1));
  if (TRY(texts_.slice()) == Slice::more) return std::optional<milliseconds>(milliseconds(0));
  texts_wait_since_us_ = 0;
  return std::optional<milliseconds>();
}

Outcome MaildirAccount::write_all_flags() {
  if (flags_checked_ && flag_timer_.first_us == 0) return {};
  while (TRY(write_flags_slice(context_, mailboxes_)) == Slice::more) {
  }
  flag_timer_ = FlagTimer();
  return {};
}

Result<BackgroundState> MaildirAccount::background_step() {
  if (index_doubtful_) TRY(replace_damaged_index());
  return watched(background_slice());
}

Result<BackgroundState> MaildirAccount::background_slice() {
  BackgroundState state;
  const std::optional<std::chrono::milliseconds> flags_due = TRY(write_due_flags());
  state.due_in = flags_due;
  if (flags_due && flags_due->count() == 0) return state;
  state.due_in = std::chrono::milliseconds(0);
  if (TRY(unlink_slice(context_, mailboxes_)) == Slice::more) return state;
  if (TRY(cache_slice(context_, mailboxes_)) == Slice::more) return state;
  if (TRY(dropped_rows_slice(context_)) == Slice::more) return state;
  if (TRY(mailboxes_.remove_leftover())) return state;
  TRY(mailboxes_.settle());
  TRY(save_generation(context_));
  const std::optional<std::chrono::milliseconds> texts_due = TRY(index_due_texts());
  state.due_in = flags_due && texts_due ? std::min(*flags_due, *texts_due) : flags_due ? flags_due : texts_due;
  return state;
}

bool MaildirAccount::watch(MailboxId mailbox) {
  const Result<MailboxState*> box = mailboxes_.find(mailbox);
  return box && watches_.watch(user_, mailbox, (*box)->folder.path());
}

}  // namespace postkeep::storage
