#include "storage/account/mailbox_list.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "storage/account/recovery.h"
#include "storage/maildir/layout.h"

namespace postkeep::storage {
namespace {

constexpr char leftover_prefix[] = "postkeep-deleted.";
constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();

tl::unexpected<Error> no_such_mailbox() { return failure(ErrorKind::not_found, "No such mailbox"); }
tl::unexpected<Error> there_already() { return failure(ErrorKind::already_exists, "There is such a mailbox already"); }

// RFC 6154 §2: these show messages of other mailboxes, which no mailbox of ours does.
bool is_virtual(SpecialUse use) {
  return use == SpecialUse::all || use == SpecialUse::flagged || use == SpecialUse::important;
}

// The row of a folder that the index knows nothing of: everything above its floors, nothing known about the past.
MailboxRow row_from_file(const maildir::MailboxFile& file, const std::string& directory) {
  MailboxRow row;
  row.id = file.id;
  row.directory = directory;
  row.special_use = file.special_use;
  row.uid_validity = file.uid_validity;
  row.uid_next = Uid(static_cast<std::uint32_t>(std::min(file.uid_floor, u32_max)));
  row.highest_modseq = ModSeq(std::max<std::uint64_t>(1, file.modseq_floor - 1));
  row.first_recent = row.uid_next;
  row.expunges_known_since = row.highest_modseq;
  row.adopt_from = Uid(0);
  row.scan_needed = true;
  return row;
}

bool is_of(const MailboxRow& row, const maildir::MailboxFile& file) {
  return file.id == row.id && file.uid_validity == row.uid_validity;
}

// What was told before an unclean stop may be as high as the floors, files named with UIDs that the index has never
// seen are ours, and the special use is what was synced.
void distrust_row(MailboxRow& row, const maildir::MailboxFile& file) {
  row.adopt_from = row.scan_needed ? std::min(row.adopt_from, row.uid_next) : row.uid_next;
  row.uid_next = std::max(row.uid_next, Uid(static_cast<std::uint32_t>(std::min(file.uid_floor, u32_max))));
  row.highest_modseq = std::max(row.highest_modseq, ModSeq(std::max<std::uint64_t>(1, file.modseq_floor - 1)));
  row.special_use = file.special_use;
  row.scan_needed = true;
}

}  // namespace

std::string MailboxList::path_of(const std::string& directory) const {
  return maildir::folder_path(context_.path, directory);
}

// --- What is there ---

Outcome MailboxList::open(IndexState state) {
  unclean_ = state == IndexState::unclean;
  for (MailboxRow& row : TRY(load_mailbox_rows(*context_.index))) {
    if (unclean_) {
      TRY(take_doubtful(std::move(row)));
    } else {
      std::string directory = row.directory;
      loose_.emplace(std::move(directory), std::move(row));
    }
  }
  TRY(read_folders());
  if (std::exchange(unclean_, false)) {
    IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
    for (auto& [name, box] : boxes_) TRY(save_mailbox_row(*context_.index, box->row));
    TRY(change.commit());
  }
  return {};
}

void MailboxList::clear() {
  boxes_.clear();
  by_id_.clear();
  loose_.clear();
  strays_.clear();
  root_modified_ = 0;
}

// After an unclean stop the newest commits may be missing, a DELETE, CREATE or RENAME among them: a row may name a
// folder that is another mailbox's by now, or that is only half made.
Outcome MailboxList::take_doubtful(MailboxRow row) {
  std::string directory = row.directory;
  const Result<maildir::MailboxFile> file = maildir::read_mailbox_file(context_.files(), path_of(directory));
  const ErrorKind problem = file ? ErrorKind::not_found : file.error().kind;
  if (!file && problem != ErrorKind::not_found && problem != ErrorKind::corruption) {
    return tl::unexpected<Error>(file.error());
  }
  if (problem == ErrorKind::not_found && !(file && is_of(row, *file))) {
    strays_.emplace(row.id, std::move(row));
    return {};
  }
  if (file) distrust_row(row, *file);
  row.scan_needed = true;  // damaged: whoever uses the mailbox is told; the others can be used meanwhile
  loose_.emplace(std::move(directory), std::move(row));
  return {};
}

Outcome MailboxList::settle() {
  TRY(settle_intents(context_));
  if (!half_renamed_) return {};
  TRY(recover_intents(context_));
  half_renamed_ = false;
  root_modified_ = 0;
  return {};
}

Outcome MailboxList::refresh() {
  const FileInfo info = TRY(context_.files().info(context_.path));
  const std::int64_t modified = info.modified.time_since_epoch().count();
  if (modified == root_modified_ && listed_at_us_ * 1000 - modified > settled_ns) return {};
  return read_folders();
}

MailboxState& MailboxList::attach(const MailboxName& name, MailboxRow row) {
  maildir::MessageFolder folder(context_.files(), path_of(row.directory));
  auto box = std::make_unique<MailboxState>(name, std::move(folder), std::move(row));
  MailboxState& attached = *box;
  by_id_[attached.row.id] = &attached;
  boxes_[name] = std::move(box);
  return attached;
}

// Every folder gets its row: by directory or, if another program renamed it, by the id in its folder file. What is
// new gets a new row; rows without a folder go.
Outcome MailboxList::read_folders() {
  const FileInfo info = TRY(context_.files().info(context_.path));
  const std::int64_t listed_at_us = context_.now_us();
  const maildir::FolderListing listing = TRY(maildir::list_folders(context_.files(), context_.path));
  std::set<MailboxName> present;
  for (const maildir::Folder& folder : listing.folders) present.insert(folder.name);

  RowsById lost = std::exchange(strays_, RowsById());
  for (auto at = boxes_.begin(); at != boxes_.end();) {
    if (!present.contains(at->first)) {
      lost.emplace(at->second->row.id, at->second->row);
      by_id_.erase(at->second->row.id);
      at = boxes_.erase(at);
    } else {
      ++at;
    }
  }
  std::vector<const maildir::Folder*> unknown;
  for (const maildir::Folder& folder : listing.folders) {
    if (boxes_.contains(folder.name)) continue;
    if (const auto row = loose_.find(folder.directory); row != loose_.end()) {
      attach(folder.name, std::move(row->second));
      loose_.erase(row);
    } else {
      unknown.push_back(&folder);
    }
  }
  for (auto& [directory, row] : loose_) lost.emplace(row.id, std::move(row));
  loose_.clear();
  const std::vector<MailboxName> fresh = TRY(adopt_folders(unknown, lost));
  TRY(record(lost, fresh));
  root_modified_ = info.modified.time_since_epoch().count();
  listed_at_us_ = listed_at_us;
  return {};
}

// Those that say who they are come first; a row that is left then belongs to the folder of its name.
Result<std::vector<MailboxName>> MailboxList::adopt_folders(const std::vector<const maildir::Folder*>& folders,
                                                            RowsById& lost) {
  std::vector<MailboxName> adopted;
  std::vector<const maildir::Folder*> nameless;
  const auto adopt = [&](const maildir::Folder& folder, const maildir::MailboxFile* file) -> Outcome {
    attach(folder.name, TRY(adopt_folder(folder.directory, file, lost)));
    adopted.push_back(folder.name);
    return {};
  };
  for (const maildir::Folder* folder : folders) {
    const Result<maildir::MailboxFile> file = maildir::read_mailbox_file(context_.files(), path_of(folder->directory));
    if (file) {
      TRY(adopt(*folder, &*file));
    } else if (file.error().kind == ErrorKind::not_found) {
      nameless.push_back(folder);
    } else {
      return tl::unexpected<Error>(file.error());
    }
  }
  for (const maildir::Folder* folder : nameless) TRY(adopt(*folder, nullptr));
  return adopted;
}

// A row for a folder that has none: the one of a folder that vanished, if it is the same mailbox under a new name.
Result<MailboxRow> MailboxList::adopt_folder(const std::string& directory, const maildir::MailboxFile* file,
                                             RowsById& lost) {
  const std::string path = path_of(directory);
  if (file != nullptr) {
    if (const auto before = lost.find(file->id); before != lost.end() && is_of(before->second, *file)) {
      MailboxRow row = std::move(before->second);
      lost.erase(before);
      row.directory = directory;
      if (unclean_) distrust_row(row, *file);
      return row;
    }
    // Another program may have copied a folder with all in it; two mailboxes cannot have one identity.
    if (!by_id_.contains(file->id)) return row_from_file(*file, directory);
  }
  // After an unclean stop the row may be that of a mailbox which was deleted, and the folder the beginning of another.
  for (auto at = lost.begin(); file == nullptr && !unclean_ && at != lost.end(); ++at) {
    if (at->second.directory != directory) continue;
    MailboxRow row = std::move(at->second);  // whose folder file is lost; it is made again when the mailbox is used
    row.scan_needed = true;
    lost.erase(at);
    return row;
  }
  const Identity identity = TRY(take_identities(1)).front();
  maildir::MailboxFile made = file != nullptr ? *file : maildir::MailboxFile();
  made.uid_validity = identity.uid_validity;
  made.id = identity.id;
  made.uid_floor = 1;
  made.modseq_floor = modseq_block;
  TRY(maildir::MessageFolder(context_.files(), path).make());
  TRY(maildir::write_mailbox_file(context_.files(), path, made));
  MailboxRow row = row_from_file(made, directory);
  row.first_recent = Uid(1);
  return row;
}

Outcome MailboxList::record(const RowsById& lost, const std::vector<MailboxName>& fresh) {
  if (lost.empty() && fresh.empty()) return {};
  IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
  for (const auto& [id, row] : lost) TRY(drop_mailbox_row(*context_.index, row.key));
  // One may have the directory that another had.
  for (const MailboxName& name : fresh) TRY(free_directory(*context_.index, boxes_.at(name)->row.key));
  for (const MailboxName& name : fresh) TRY(save_mailbox_row(*context_.index, boxes_.at(name)->row));
  return change.commit();
}

// --- Looking up ---

Result<MailboxState*> MailboxList::find(MailboxId id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return no_such_mailbox();
  return at->second;
}

MailboxState* MailboxList::find(const MailboxName& name) {
  const auto at = boxes_.find(name);
  return at != boxes_.end() ? at->second.get() : nullptr;
}

MailboxState* MailboxList::find_key(std::int64_t key) {
  for (const auto& [name, box] : boxes_) {
    if (box->row.key == key) return box.get();
  }
  return nullptr;
}

Mailbox MailboxList::describe(const MailboxState& box) const {
  Mailbox mailbox;
  mailbox.name = box.name;
  mailbox.id = box.row.id;
  mailbox.subscribed = context_.file.subscriptions.contains(box.name.utf8());
  mailbox.special_use = box.row.special_use;
  mailbox.uid_validity = box.row.uid_validity;
  return mailbox;
}

std::vector<Mailbox> MailboxList::list() const {
  std::map<MailboxName, Mailbox> all;
  const auto add_missing = [&](const MailboxName& name) {
    Mailbox missing;
    missing.name = name;
    missing.exists = false;
    missing.subscribed = context_.file.subscriptions.contains(name.utf8());
    all.emplace(name, std::move(missing));
  };
  for (const auto& [name, box] : boxes_) all.emplace(name, describe(*box));
  for (const std::string& utf8 : context_.file.subscriptions) {
    if (const Result<MailboxName> name = MailboxName::from_utf8(utf8)) add_missing(*name);
  }
  for (const auto& [name, box] : boxes_) {
    for (auto superior = name.parent(); superior; superior = superior->parent()) add_missing(*superior);
  }
  std::vector<Mailbox> sorted;
  sorted.reserve(all.size());
  for (auto& [name, mailbox] : all) sorted.push_back(std::move(mailbox));
  return sorted;
}

// --- Making ---

Result<std::vector<MailboxList::Identity>> MailboxList::take_identities(std::size_t count) {
  const auto now = static_cast<std::uint64_t>(std::clamp<std::int64_t>(context_.now().seconds, 1, u32_max));
  std::uint64_t uid_validity = std::max<std::uint64_t>(context_.file.uid_validity_floor.value(), now);
  std::uint64_t id = context_.file.mailbox_id_floor;
  if (uid_validity + count > u32_max) return failure(ErrorKind::limit, "The account has no UIDVALIDITY left");
  std::vector<Identity> identities;
  for (std::size_t i = 0; i < count; ++i) {
    identities.push_back(Identity{UidValidity(static_cast<std::uint32_t>(uid_validity++)), MailboxId(id++)});
  }
  maildir::AccountFile raised = context_.file;
  raised.uid_validity_floor = UidValidity(static_cast<std::uint32_t>(uid_validity));
  raised.mailbox_id_floor = id;
  std::swap(context_.file, raised);
  if (Outcome saved = save_account_file(context_); !saved) {
    std::swap(context_.file, raised);
    return tl::unexpected<Error>(saved.error());
  }
  return identities;
}

std::vector<MailboxName> MailboxList::missing_superiors(const MailboxName& name) const {
  std::vector<MailboxName> missing;
  for (auto superior = name.parent(); superior && !boxes_.contains(*superior); superior = superior->parent()) {
    missing.push_back(*superior);
  }
  std::reverse(missing.begin(), missing.end());
  return missing;
}

Result<MailboxRow> MailboxList::make_folder(const MailboxName& name, SpecialUse special_use, Identity identity) {
  const std::string directory = TRY(maildir::folder_directory(name));
  maildir::MailboxFile file;
  file.uid_validity = identity.uid_validity;
  file.id = identity.id;
  file.special_use = special_use;
  file.uid_floor = uid_block;
  file.modseq_floor = modseq_block;
  TRY(maildir::MessageFolder(context_.files(), path_of(directory)).make());
  TRY(maildir::write_mailbox_file(context_.files(), path_of(directory), file));
  MailboxRow row;
  row.id = identity.id;
  row.directory = directory;
  row.special_use = special_use;
  row.uid_validity = identity.uid_validity;
  row.expunges_known_since = ModSeq(1);
  row.scan_needed = false;
  return row;
}

Result<MailboxState*> MailboxList::create(const MailboxName& name, SpecialUse special_use) {
  TRY(settle());
  TRY(refresh());
  if (boxes_.contains(name)) return there_already();
  if (is_virtual(special_use)) {
    return failure(ErrorKind::use_attribute, "No mailbox here can have this special use");
  }
  TRY(maildir::folder_directory(name));
  std::vector<MailboxName> wanted = missing_superiors(name);
  wanted.push_back(name);
  if (boxes_.size() + wanted.size() > context_.store.options.mailboxes_max) {
    return failure(ErrorKind::limit, "There are too many mailboxes");
  }
  const std::vector<Identity> identities = TRY(take_identities(wanted.size()));
  std::vector<MailboxRow> rows;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    rows.push_back(TRY(make_folder(wanted[i], wanted[i] == name ? special_use : SpecialUse::none, identities[i])));
  }
  TRY(context_.files().sync_directory(context_.path));
  for (std::size_t i = 0; i < wanted.size(); ++i) attach(wanted[i], std::move(rows[i]));
  TRY(record({}, wanted));
  return find(name);
}

Outcome MailboxList::set_special_use(const MailboxName& name, SpecialUse special_use) {
  MailboxState* box = find(name);
  if (box == nullptr) return no_such_mailbox();
  if (is_virtual(special_use)) {
    return failure(ErrorKind::use_attribute, "No mailbox here can have this special use");
  }
  TRY(load_mailbox(context_, *box));
  maildir::MailboxFile file = box->file;
  file.special_use = special_use;
  TRY(maildir::write_mailbox_file(context_.files(), box->folder.path(), file));
  box->file = std::move(file);
  box->row.special_use = special_use;
  return record({}, {name});
}

// --- Deleting ---

// One rename takes the folder out of sight; its files go later.
Outcome MailboxList::remove(const MailboxName& name) {
  TRY(settle());
  TRY(refresh());
  if (name.is_inbox()) return failure(ErrorKind::cannot, "INBOX cannot be deleted");
  MailboxState* box = find(name);
  if (box == nullptr) return no_such_mailbox();
  const MailboxRow row = box->row;
  const std::string leftover = leftover_prefix + std::to_string(row.id.value());
  TRY(context_.files().rename(box->folder.path(), leftover_directory() + "/" + leftover));
  by_id_.erase(row.id);
  boxes_.erase(name);
  leftovers_.push_back(leftover);
  TRY(context_.files().sync_directory(leftover_directory()));  // a rename is durable where it leads to
  TRY(context_.files().sync_directory(context_.path));
  RowsById lost;
  lost.emplace(row.id, row);
  return record(lost, {});
}

Result<bool> MailboxList::remove_leftover() {
  if (!leftovers_known_) {
    leftovers_.clear();
    for (std::string& name : TRY(context_.files().list(leftover_directory()))) {
      if (name.starts_with(leftover_prefix)) leftovers_.push_back(std::move(name));
    }
    leftovers_known_ = true;
  }
  if (leftovers_.empty()) return false;
  const std::string path = leftover_directory() + "/" + leftovers_.back();
  leftovers_.pop_back();
  TRY(maildir::MessageFolder::remove_tree(context_.files(), path));
  return true;
}

// --- Renaming ---

Result<std::vector<MailboxList::Move>> MailboxList::plan_rename(const MailboxName& from, const MailboxName& to) {
  std::vector<Move> moves;
  for (const auto& [name, box] : boxes_) {
    if (name != from && !name.is_under(from)) continue;
    const MailboxName moved = name.moved(from, to);
    if (boxes_.contains(moved)) return there_already();
    std::string directory = TRY(maildir::folder_directory(moved));
    moves.push_back(Move{name, moved, box->row.directory, std::move(directory), box->row.uid_validity});
  }
  return moves;
}

Outcome MailboxList::rename(const MailboxName& from, const MailboxName& to) {
  TRY(settle());
  TRY(refresh());
  if (!boxes_.contains(from)) return no_such_mailbox();
  if (boxes_.contains(to)) return there_already();
  if (to.is_under(from)) return failure(ErrorKind::cannot, "A mailbox cannot become its own inferior");
  const std::vector<Move> moves = TRY(plan_rename(from, to));
  if (const std::optional<MailboxName> superior = to.parent(); superior && !boxes_.contains(*superior)) {
    TRY(create(*superior, SpecialUse::none));
  }
  TRY(move_folders(moves));
  std::vector<MailboxName> moved;
  for (const Move& move : moves) {
    MailboxRow row = boxes_.at(move.from)->row;
    boxes_.erase(move.from);
    row.directory = move.to_directory;
    attach(move.to, std::move(row));
    moved.push_back(move.to);
  }
  return record({}, moved);
}

// One rename is atomic; several are written down first and carried on by recovery.
Outcome MailboxList::move_folders(const std::vector<Move>& moves) {
  std::optional<OpenIntent> open;
  if (moves.size() > 1) {
    maildir::Intent intent;
    intent.kind = maildir::Intent::Kind::rename;
    for (const Move& move : moves) {
      const Uid identity(move.uid_validity.value());
      intent.entries.push_back(maildir::Intent::Entry{identity, Uid(0), move.from_directory, move.to_directory});
    }
    open.emplace(TRY(OpenIntent::write(context_, intent)));
  }
  std::size_t moved = 0;
  Outcome done;
  for (const Move& move : moves) {
    done = context_.files().rename_new(path_of(move.from_directory), path_of(move.to_directory));
    if (!done) break;
    ++moved;
  }
  if (done) done = context_.files().sync_directory(context_.path);
  const bool settled = done || move_back(moves, moved);
  if (open && settled) open->finish(maildir::Durable::now);
  half_renamed_ = open && !settled;
  return done;
}

bool MailboxList::move_back(const std::vector<Move>& moves, std::size_t moved) {
  bool back = true;
  while (moved-- > 0) {
    const Move& move = moves[moved];
    back = context_.files().rename_new(path_of(move.to_directory), path_of(move.from_directory)) && back;
  }
  return context_.files().sync_directory(context_.path) && back;
}

}  // namespace postkeep::storage
