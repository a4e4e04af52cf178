#include "storage/account/background.h"

#include <map>
#include <unordered_map>
#include <vector>

#include "storage/account/message_cache.h"
#include "storage/account/own_change.h"
#include "storage/account/reconcile.h"
#include "storage/index/message_sql.h"
#include "storage/maildir/flag_letters.h"

namespace postkeep::storage {
namespace {

// A rename or unlink costs 20 to 75 microseconds, so that a slice with its sync stays near 5 ms.
constexpr std::int64_t files_per_slice = 64;
constexpr std::int64_t cached_per_slice = 32;
constexpr std::int64_t slice_us = 5000;
constexpr std::int64_t dropped_rows_per_slice = 500;
// postkeep-uids is written anew, without what is done, once it has grown to this.
constexpr std::uint64_t record_file_octets_kept = 16 * 1024;

// The next work of one mailbox; rows of mailboxes that are gone are forgotten.
struct Batch {
  MailboxState* box = nullptr;
  std::vector<Uid> uids;
};

Result<Batch> next_batch(AccountContext& context, MailboxList& mailboxes, Work work, std::int64_t limit) {
  Batch batch;
  for (const MessageKey& next : TRY(next_work(*context.index, work, limit))) {
    MailboxState* box = mailboxes.find_key(next.key);
    if (box == nullptr) {
      TRY(remove_work(*context.index, work, next.key, next.uid));
      continue;
    }
    if (batch.box == nullptr) batch.box = box;
    if (batch.box == box) batch.uids.push_back(next.uid);
  }
  return batch;
}

struct Renamed {
  Uid uid;
  std::string name;
};

// One batch of the flag writer.
class FlagWriting {
 public:
  FlagWriting(AccountContext& context, Batch batch) : context_(context), batch_(std::move(batch)), box_(*batch_.box) {}

  Outcome run() {
    TRY(load_version(context_, box_));
    const OwnChange own = TRY(OwnChange::begin(box_));
    TRY(record_keywords());
    for (const Uid uid : batch_.uids) TRY(rename(uid));
    if (cur_touched_) TRY(box_.folder.sync(Place::cur));
    if (new_touched_) TRY(box_.folder.sync(Place::fresh));
    MailboxRow row = box_.row;
    TRY(own.note(row));
    {
      IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
      for (const Renamed& file : renamed_) {
        TRY(set_file_name(*context_.index, row.key, file.uid, Place::cur, file.name));
      }
      for (const Uid uid : done_) TRY(remove_work(*context_.index, Work::flags, row.key, uid));
      TRY(save_mailbox_row(*context_.index, row));
      TRY(change.commit());
    }
    box_.row = row;
    if (missing_) TRY(reconcile(context_, box_));
    return {};
  }

 private:
  const Flags* flags_of(Uid uid) const {
    const std::optional<MessageState> state = box_.version->find(uid);
    return state ? &box_.version->flags_of(*state) : nullptr;
  }

  // Only mailboxes with more keywords than letters have such records; then every change is one, since the last counts.
  Outcome record_keywords() {
    if (maildir::keywords_without_letter(box_.file, box_.keywords).empty()) return {};
    std::vector<maildir::Record> records;
    for (const Uid uid : batch_.uids) {
      const Flags* flags = flags_of(uid);
      if (flags == nullptr) continue;
      records.emplace_back(maildir::KeywordsRecord{uid, maildir::keywords_without_letter(box_.file, *flags)});
    }
    return add_records(context_, box_, maildir::keywords_file_name, records);
  }

  Outcome rename(Uid uid) {
    const Flags* flags = flags_of(uid);
    const std::optional<FileRow> file = TRY(find_file(*context_.index, box_.row.key, uid));
    const std::optional<maildir::FileName> before = file ? maildir::FileName::parse(file->name) : std::nullopt;
    if (flags == nullptr || !before) {
      done_.push_back(uid);
      return {};
    }
    std::string name = maildir::with_flags(file->name, maildir::letters_of(box_.file, *flags, before->flags));
    if (name != file->name || file->place != Place::cur) {
      const Outcome renamed = context_.files().rename(box_.folder.file_path(file->place, file->name),
                                                      box_.folder.file_path(Place::cur, name));
      if (!renamed && renamed.error().kind == ErrorKind::not_found) {
        missing_ = true;  // another program was there; the listing tells what became of it
        return {};
      }
      TRY(Outcome(renamed));
      cur_touched_ = true;
      new_touched_ = new_touched_ || file->place == Place::fresh;
      renamed_.push_back(Renamed{uid, std::move(name)});
    }
    done_.push_back(uid);
    return {};
  }

  AccountContext& context_;
  Batch batch_;
  MailboxState& box_;
  std::vector<Renamed> renamed_;
  std::vector<Uid> done_;
  bool cur_touched_ = false;
  bool new_touched_ = false;
  bool missing_ = false;
};

// Files that are not under their names: by another name they must go too, or they would come back as new mail.
Outcome unlink_renamed(AccountContext& context, const MailboxState& box, const std::vector<FileRow>& missing) {
  std::map<std::string, bool> bases;
  for (const FileRow& file : missing) {
    if (const auto name = maildir::FileName::parse(file.name)) bases[name->base] = true;
  }
  for (const maildir::FoundFile& found : TRY(box.folder.list())) {
    if (!bases.contains(found.parsed.base)) continue;
    const Outcome gone = context.files().unlink(box.folder.file_path(found.place, found.name));
    if (!gone && gone.error().kind != ErrorKind::not_found) return gone;
  }
  return {};
}

// Once nothing expunged is left on disk, records of what was expunged have done their work.
Outcome shorten_records(AccountContext& context, MailboxState& box) {
  if (!TRY(work_of_mailbox(*context.index, Work::unlink, box.row.key)).empty()) return {};
  const Result<FileInfo> info = context.files().info(box.folder.path() + "/" + maildir::uids_file_name);
  if (!info || info->size < record_file_octets_kept) return {};
  TRY(load_version(context, box));
  maildir::RecordFile found = TRY(maildir::read_records(context.files(), box.folder.path(), maildir::uids_file_name));
  const std::size_t before = found.records.size();
  std::erase_if(found.records, [&](const maildir::Record& record) {
    const auto* named = std::get_if<maildir::UidRecord>(&record);
    return named == nullptr || !box.version->find(named->uid);
  });
  if (found.records.size() == before) return {};
  return maildir::rewrite_records(context.files(), box.folder.path(), maildir::uids_file_name, found.records);
}

}  // namespace

Result<Slice> write_flags_slice(AccountContext& context, MailboxList& mailboxes) {
  Batch batch = TRY(next_batch(context, mailboxes, Work::flags, files_per_slice));
  if (batch.box == nullptr) return Slice::nothing_left;
  TRY(FlagWriting(context, std::move(batch)).run());
  return TRY(has_work(*context.index, Work::flags)) ? Slice::more : Slice::nothing_left;
}

Result<Slice> unlink_slice(AccountContext& context, MailboxList& mailboxes) {
  const Batch batch = TRY(next_batch(context, mailboxes, Work::unlink, files_per_slice));
  if (batch.box == nullptr) return Slice::nothing_left;
  MailboxState& box = *batch.box;
  const OwnChange own = TRY(OwnChange::begin(box));
  std::vector<FileRow> missing;
  for (const Uid uid : batch.uids) {
    std::optional<FileRow> file = TRY(find_file(*context.index, box.row.key, uid));
    if (!file) continue;
    const Outcome gone = context.files().unlink(box.folder.file_path(file->place, file->name));
    if (!gone && gone.error().kind != ErrorKind::not_found) return tl::unexpected<Error>(gone.error());
    if (!gone) missing.push_back(std::move(*file));
  }
  if (!missing.empty()) TRY(unlink_renamed(context, box, missing));
  TRY(box.folder.sync(Place::cur));
  TRY(box.folder.sync(Place::fresh));
  MailboxRow row = box.row;
  TRY(own.note(row));
  {
    IndexChange change = TRY(IndexChange::begin(context, Commit::lazy));
    for (const Uid uid : batch.uids) {
      TRY(remove_file(*context.index, row.key, uid));
      TRY(remove_work(*context.index, Work::unlink, row.key, uid));
    }
    TRY(save_mailbox_row(*context.index, row));
    TRY(change.commit());
  }
  box.row = row;
  TRY(shorten_records(context, box));
  return TRY(has_work(*context.index, Work::unlink)) ? Slice::more : Slice::nothing_left;
}

Result<Slice> cache_slice(AccountContext& context, MailboxList& mailboxes) {
  const Batch batch = TRY(next_batch(context, mailboxes, Work::cache, cached_per_slice));
  if (batch.box == nullptr) return Slice::nothing_left;
  MailboxState& box = *batch.box;
  const std::int64_t end_us = context.now_us() + slice_us;
  MailboxRow row = box.row;
  IndexChange change = TRY(IndexChange::begin(context, Commit::lazy));
  for (const Uid uid : batch.uids) {
    std::optional<FileRow> file = TRY(find_file(*context.index, box.row.key, uid));
    const Result<CacheRow> cached =
        file ? cached_facts(context, box, *file, row) : failure(ErrorKind::not_found, "A message is gone");
    // A full disk has ended the transaction: nothing of it may be written now as if it went on.
    if (!cached && !context.index->in_transaction()) return tl::unexpected<Error>(cached.error());
    // What cannot be read now is not tried again from here: whoever asks for the message is told why.
    if (!cached) TRY(remove_work(*context.index, Work::cache, box.row.key, uid));
    if (context.now_us() >= end_us) break;
  }
  TRY(save_mailbox_row(*context.index, row));
  TRY(change.commit());
  box.row = row;
  return TRY(has_work(*context.index, Work::cache)) ? Slice::more : Slice::nothing_left;
}

Result<Slice> dropped_rows_slice(AccountContext& context) {
  {
    Statement any = TRY(context.index->prepare("SELECT 1 FROM dropped_mailbox LIMIT 1"));
    if (!TRY(any.step())) return Slice::nothing_left;
  }
  IndexChange change = TRY(IndexChange::begin(context, Commit::lazy));
  const bool more = TRY(remove_dropped_rows(*context.index, dropped_rows_per_slice));
  TRY(change.commit());
  return more ? Slice::more : Slice::nothing_left;
}

}  // namespace postkeep::storage
