#include "storage/account/reconcile.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "storage/account/message_changes.h"
#include "storage/maildir/flag_letters.h"

namespace postkeep::storage {
namespace {

using maildir::FoundFile;

// A large folder that only we seem to change is listed again to be sure, but not for more than this part of the time.
constexpr std::int64_t relisting_share = 1000;
constexpr std::int64_t large_us = 5000;  // what listing a large folder takes at least

// A set of names, as good as: two that differ have the same sums once in 2^64.
class NameSet {
 public:
  void add(Place place, std::string_view name) {
    const std::uint64_t hash = std::hash<std::string_view>()(name);
    sum_ += place == Place::cur ? hash : ~hash;
    ++count_;
  }
  bool operator==(const NameSet&) const = default;

 private:
  std::uint64_t sum_ = 0;
  std::uint64_t count_ = 0;
};

class Reconciliation {
 public:
  Reconciliation(AccountContext& context, MailboxState& box) : context_(context), box_(box), stage_(box) {}

  Result<Found> run() {
    if (!box_.row.scan_needed && TRY(is_as_known())) return Found::nothing_new;
    if (box_.row.scan_needed) TRY(box_.folder.make());  // a CREATE may have been cut off, or its sync have failed
    TRY(load_version(context_, box_));
    rows_ = TRY(load_files(*context_.index, box_.row.key,
                           UidSet::of_range(Uid(1), Uid(std::numeric_limits<std::uint32_t>::max()))));
    doomed_ = TRY(work_of_mailbox(*context_.index, Work::unlink, box_.row.key));
    for (std::size_t i = 0; i < rows_.size(); ++i) by_base_.emplace(base_of(rows_[i].name), i);
    TRY(list());
    // A rename while the folder was listed can hide a file: only what is missing twice is gone.
    if (!vanished().empty()) TRY(list());
    if (box_.row.scan_needed || !unmatched_.empty()) TRY(read_record_files());
    if (box_.row.scan_needed) find_risen();
    row_ = box_.row;
    row_.cur_modified = times_.cur;
    row_.new_modified = times_.fresh;
    row_.listed_at = listed_at_us_ * 1000;
    row_.scan_needed = false;
    TRY(choose_uids());
    TRY(plan_flag_changes());
    return apply();
  }

 private:
  struct Adopted {
    const FoundFile* file;
    Uid uid;
    Origin origin;
  };

  static std::string base_of(const std::string& name) {
    const std::optional<maildir::FileName> parsed = maildir::FileName::parse(name);
    return parsed ? parsed->base : name;
  }

  // --- Is there anything to do? ---

  // Most often nothing has changed but by ourselves: the names that are there are those of the index. They are compared
  // as sets, by the sum of their hashes, which needs neither order nor a table of them.
  Result<bool> is_as_known() {
    const std::int64_t listed_at_us = context_.now_us();
    const maildir::FolderTimes times = TRY(box_.folder.times());
    NameSet known, found;
    TRY(visit_file_names(*context_.index, box_.row.key,
                         [&](Place place, std::string_view name) { known.add(place, name); }));
    TRY(box_.folder.visit_names([&](Place place, std::string_view name) { found.add(place, name); }));
    if (known != found) return false;
    box_.row.cur_modified = times.cur;
    box_.row.new_modified = times.fresh;
    box_.row.listed_at = listed_at_us * 1000;
    return true;
  }

  // --- What is there ---

  Outcome list() {
    listed_at_us_ = context_.now_us();
    times_ = TRY(box_.folder.times());
    found_ = TRY(box_.folder.list());
    matched_.assign(rows_.size(), nullptr);
    unmatched_.clear();
    for (const FoundFile& file : found_) {
      const auto known = by_base_.find(file.parsed.base);
      if (known == by_base_.end()) {
        unmatched_.push_back(&file);
        continue;
      }
      // Seen twice: it moved from new/ to cur/ while we looked.
      const FoundFile*& match = matched_[known->second];
      if (match == nullptr || match->name != rows_[known->second].name) match = &file;
    }
    match_by_tag();
    return {};
  }

  // A program may have changed even the unique part of a name, but left our tag.
  void match_by_tag() {
    std::erase_if(unmatched_, [&](const FoundFile* file) {
      const std::optional<maildir::UidTag> tag = file->parsed.tag();
      if (!tag || tag->uid_validity != box_.row.uid_validity) return false;
      const auto at = std::lower_bound(rows_.begin(), rows_.end(), tag->uid,
                                       [](const FileRow& row, Uid uid) { return row.uid < uid; });
      if (at == rows_.end() || at->uid != tag->uid || at->origin != Origin::ours) return false;
      const FoundFile*& match = matched_[static_cast<std::size_t>(at - rows_.begin())];
      if (match != nullptr) return false;
      match = file;
      return true;
    });
  }

  UidSet vanished() const {
    UidSet uids;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (matched_[i] == nullptr && !doomed_.contains(rows_[i].uid)) uids.add(rows_[i].uid);
    }
    return uids;
  }

  Outcome read_record_files() {
    const auto read = [&](const char* kind) {
      return maildir::read_records(context_.files(), box_.folder.path(), kind);
    };
    const maildir::RecordFile uids = TRY(read(maildir::uids_file_name));
    for (const maildir::Record& record : uids.records) {
      if (const auto* named = std::get_if<maildir::UidRecord>(&record)) recorded_uids_[named->base] = named->uid;
      if (const auto* gone = std::get_if<maildir::GoneRecord>(&record)) gone_.add_range(gone->first, gone->last);
    }
    if (!box_.row.scan_needed && !finds_ours()) return {};
    for (maildir::Record& record : TRY(read(maildir::keywords_file_name)).records) {
      if (auto* extra = std::get_if<maildir::KeywordsRecord>(&record)) {
        extra_keywords_[extra->uid] = std::move(extra->keywords);
      }
    }
    return {};
  }

  // A file that we named and whose row was never written.
  bool finds_ours() const {
    return std::any_of(unmatched_.begin(), unmatched_.end(), [&](const FoundFile* file) {
      const std::optional<maildir::UidTag> tag = file->parsed.tag();
      return tag && tag->uid_validity == box_.row.uid_validity;
    });
  }

  // Expunged, as postkeep-uids says, by a commit that the index lost.
  void find_risen() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Uid uid = rows_[i].uid;
      if (matched_[i] != nullptr && gone_.contains(uid) && !doomed_.contains(uid)) risen_.add(uid);
    }
  }

  // --- Files that the index does not know ---

  // The UID that the file had before the index forgot it. 0: none, it is new.
  Uid former_uid(const FoundFile& file, Origin& origin) const {
    const std::optional<maildir::UidTag> tag = file.parsed.tag();
    if (tag && tag->uid_validity == box_.row.uid_validity) {
      origin = Origin::ours;
      return tag->uid;
    }
    origin = Origin::foreign;
    const auto recorded = recorded_uids_.find(file.parsed.base);
    return recorded != recorded_uids_.end() ? recorded->second : Uid(0);
  }

  // Every UID from here on may have been given without the index knowing; below, a UID without a row was expunged.
  Uid unknown_from() const { return box_.row.scan_needed ? box_.row.adopt_from : box_.row.uid_next; }

  Outcome choose_uids() {
    UidSet used;
    for (const FileRow& row : rows_) used.add(row.uid);
    std::vector<const FoundFile*> fresh;
    for (const FoundFile* file : unmatched_) {
      // A file with a UID record of its own keeps that, even if an older tag is in its name.
      Origin origin = Origin::foreign;
      Uid uid(0);
      if (const auto recorded = recorded_uids_.find(file->parsed.base); recorded != recorded_uids_.end()) {
        uid = recorded->second;
      } else {
        uid = former_uid(*file, origin);
      }
      const bool expected = uid >= unknown_from() && uid.value() != 0 && uid.value() < box_.file.uid_floor;
      if (!expected || used.contains(uid)) {
        fresh.push_back(file);
      } else if (gone_.contains(uid)) {
        leftovers_.push_back(file);
      } else {
        used.add(uid);
        adopted_.push_back(Adopted{file, uid, origin});
        row_.uid_next = std::max(row_.uid_next, Uid(uid.value() + 1));
      }
    }
    return name_fresh(std::move(fresh));
  }

  // New UIDs in the order of arrival; recorded and synced before anybody hears of them.
  Outcome name_fresh(std::vector<const FoundFile*> fresh) {
    std::sort(fresh.begin(), fresh.end(), [](const FoundFile* a, const FoundFile* b) {
      const std::int64_t time_a = a->parsed.time().value_or(UnixTime{}).seconds;
      const std::int64_t time_b = b->parsed.time().value_or(UnixTime{}).seconds;
      return std::tie(time_a, a->name) < std::tie(time_b, b->name);
    });
    box_.row.uid_next = row_.uid_next;
    TRY(reserve(context_, box_, fresh.size()));
    std::vector<maildir::Record> records;
    for (const FoundFile* file : fresh) {
      records.emplace_back(maildir::UidRecord{row_.uid_next, file->parsed.base});
      adopted_.push_back(Adopted{file, row_.uid_next, Origin::foreign});
      row_.uid_next = Uid(row_.uid_next.value() + 1);
    }
    TRY(add_records(context_, box_, maildir::uids_file_name, records));
    box_.row.uid_next = row_.uid_next;
    std::sort(adopted_.begin(), adopted_.end(), [](const Adopted& a, const Adopted& b) { return a.uid < b.uid; });
    return {};
  }

  Result<std::optional<NewMessage>> new_message(const Adopted& adopted) {
    const FoundFile& found = *adopted.file;
    const Result<FileInfo> info = context_.files().info(box_.folder.file_path(found.place, found.name));
    if (!info && info.error().kind == ErrorKind::not_found) return std::optional<NewMessage>();  // gone again
    if (!info) return tl::unexpected<Error>(info.error());
    if (info->type != FileInfo::Type::regular) return std::optional<NewMessage>();  // never a message
    NewMessage message;
    message.flags = maildir::flags_of(box_.file, found.parsed.flags);
    if (const auto extra = extra_keywords_.find(adopted.uid); extra != extra_keywords_.end()) {
      for (const std::string& keyword : extra->second) message.flags.add_keyword(keyword);
    }
    message.flags = stage_.canonical(message.flags);
    message.state = MessageState{adopted.uid, TRY(stage_.add(message.flags)), row_.highest_modseq};
    message.file.uid = adopted.uid;
    message.file.place = found.place;
    message.file.name = found.name;
    message.file.origin = adopted.origin;
    message.file.internal_date = unix_time(info->modified);
    message.file.save_date = found.parsed.time().value_or(message.file.internal_date);
    message.file.octets = info->size;
    if (adopted.origin == Origin::ours) message.file.served = static_cast<std::int64_t>(info->size);
    return std::optional<NewMessage>(std::move(message));
  }

  // --- Files that it knows ---

  // What another program changed in a name wins for that flag; our own pending changes stay.
  Outcome plan_flag_changes() {
    row_.highest_modseq = ModSeq(box_.row.highest_modseq.value() + 1);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const FileRow& row = rows_[i];
      if (matched_[i] == nullptr || matched_[i]->name == row.name) continue;
      if (doomed_.contains(row.uid) || risen_.contains(row.uid)) continue;
      const std::optional<MessageState> state = box_.version->find(row.uid);
      const std::optional<maildir::FileName> before = maildir::FileName::parse(row.name);
      if (!state || !before || before->flags == matched_[i]->parsed.flags) continue;
      const maildir::NameFlags& letters = matched_[i]->parsed.flags;
      const Flags& ours = box_.version->flags_of(*state);
      const Flags merged = maildir::merge_foreign(ours, maildir::flags_of(box_.file, before->flags),
                                                  maildir::flags_of(box_.file, letters));
      if (maildir::letters_of(box_.file, merged, letters) != letters) to_write_.add(row.uid);
      if (merged == ours) continue;
      changed_.push_back(MessageState{row.uid, TRY(stage_.add(merged)), row_.highest_modseq});
      count_change(row_, ours, merged);
    }
    return {};
  }

  // --- The change ---

  Result<Found> apply() {
    std::vector<NewMessage> added;
    for (const Adopted& adopted : adopted_) {
      if (std::optional<NewMessage> message = TRY(new_message(adopted))) added.push_back(std::move(*message));
    }
    const UidSet removed = vanished();
    for (const FoundFile* file : leftovers_) {
      TRY(context_.files().unlink(box_.folder.file_path(file->place, file->name)));
    }
    // What is told from here on must be there after a power cut, also what an unclean stop left half done.
    if (box_.row.scan_needed) {
      TRY(box_.folder.sync(Place::cur));
      TRY(box_.folder.sync(Place::fresh));
    }
    const bool visible = !added.empty() || !removed.empty() || !changed_.empty() || box_.row.scan_needed;
    if (!visible) row_.highest_modseq = box_.row.highest_modseq;
    if (visible || names_differ()) {
      IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
      TRY(write(added, removed));
      TRY(change.commit());
    }
    stage_.install();
    for (const NewMessage& message : added) changed_.push_back(message.state);
    advance(box_, row_, changed_, removed.union_with(risen_));
    return visible ? Found::changes : Found::nothing_new;
  }

  bool names_differ() const {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (matched_[i] == nullptr || matched_[i]->name != rows_[i].name || matched_[i]->place != rows_[i].place) {
        return true;
      }
    }
    return false;
  }

  Outcome write(const std::vector<NewMessage>& added, const UidSet& removed) {
    Database& index = *context_.index;
    TRY(stage_.write(context_));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const FileRow& row = rows_[i];
      if (matched_[i] == nullptr && doomed_.contains(row.uid)) {
        TRY(remove_file(index, box_.row.key, row.uid));
        TRY(remove_work(index, Work::unlink, box_.row.key, row.uid));
      } else if (matched_[i] != nullptr && (matched_[i]->name != row.name || matched_[i]->place != row.place)) {
        TRY(set_file_name(index, box_.row.key, row.uid, matched_[i]->place, matched_[i]->name));
      }
    }
    for (const MessageState& message : changed_) TRY(put_message(index, box_.row.key, message));
    for (const Uid uid : to_write_.to_vector()) TRY(add_work(index, Work::flags, box_.row.key, uid));
    if (!removed.empty()) TRY(take_out(context_, box_, row_, removed, FilesAre::gone));
    if (!risen_.empty()) TRY(take_out(context_, box_, row_, risen_, FilesAre::doomed));
    UidSet present;
    for (const NewMessage& message : added) {
      TRY(put_in(context_, box_, row_, message));
      present.add(message.state.uid);
    }
    // What was told before an unclean stop and is not there now was expunged, whenever that was.
    if (box_.row.scan_needed && box_.row.adopt_from.value() > 0) {
      const UidSet doubtful = UidSet::of_range(box_.row.adopt_from, Uid(row_.uid_next.value() - 1));
      const UidSet there = present.union_with(box_.version->all_uids()).subtract(removed).subtract(risen_);
      TRY(add_expunged(index, box_.row.key, row_.highest_modseq, doubtful.subtract(there)));
    }
    return save_mailbox_row(index, row_);
  }

  AccountContext& context_;
  MailboxState& box_;
  FlagStage stage_;
  MailboxRow row_;
  std::vector<FileRow> rows_;  // ascending
  UidSet doomed_;
  std::unordered_map<std::string, std::size_t> by_base_;  // into rows_

  maildir::FolderTimes times_;
  std::int64_t listed_at_us_ = 0;
  std::vector<FoundFile> found_;
  std::vector<const FoundFile*> matched_;    // for each of rows_
  std::vector<const FoundFile*> unmatched_;  // files without a row

  std::unordered_map<std::string, Uid> recorded_uids_;
  UidSet gone_;
  UidSet risen_;
  std::unordered_map<Uid, std::vector<std::string>> extra_keywords_;

  std::vector<Adopted> adopted_;
  std::vector<const FoundFile*> leftovers_;  // expunged, and still there
  std::vector<MessageState> changed_;
  UidSet to_write_;  // their names lack pending flags
};

}  // namespace

Result<Found> reconcile(AccountContext& context, MailboxState& box) {
  TRY(load_mailbox(context, box));
  TRY(reserve(context, box, 0));
  const std::int64_t begin_us = context.now_us();
  const Uid next = box.row.uid_next;
  Result<Found> found = Reconciliation(context, box).run();
  // A file that just got a UID, or had one that the index does not know, must get the same with the next try.
  if (!found && box.row.uid_next != next) distrust(box, next);
  box.listing_us = context.now_us() - begin_us;
  return found;
}

Result<Found> refresh_mailbox(AccountContext& context, MailboxState& box) {
  if (!box.row.scan_needed) {
    const maildir::FolderTimes times = TRY(box.folder.times());
    const std::int64_t newest = std::max(times.cur, times.fresh);
    const bool same = times.cur == box.row.cur_modified && times.fresh == box.row.new_modified;
    const bool settled = box.row.listed_at - newest > settled_ns;
    const bool listed_lately =
        box.listing_us >= large_us && context.now_us() - box.row.listed_at / 1000 < box.listing_us * relisting_share;
    if (same && settled) return Found::nothing_new;
    if (same && listed_lately) return Found::not_looked;
  }
  return reconcile(context, box);
}

Result<bool> all_ours(AccountContext& context, const MailboxState& box, const FolderWatches::Events& events) {
  using Kind = maildir::Watcher::Event::Kind;
  if (events.unknown) return false;
  for (const maildir::Watcher::Event& event : events.names) {
    const std::optional<maildir::FileName> name = maildir::FileName::parse(event.name);
    const std::optional<maildir::UidTag> tag = name ? name->tag() : std::nullopt;
    if (!tag || tag->uid_validity != box.row.uid_validity) return false;
    const std::optional<FileRow> row = TRY(find_file(*context.index, box.row.key, tag->uid));
    const bool known_there = row && row->name == event.name;
    if (known_there != (event.kind == Kind::appeared)) return false;
  }
  return true;
}

}  // namespace postkeep::storage
