// MaildirAccount's checks: what storage/check.h and the command `doctor` need of the account.
#include <algorithm>
#include <string_view>

#include "storage/account/maildir_account.h"
#include "storage/account/message_cache.h"
#include "storage/maildir/layout.h"
#include "storage/maildir/record_file.h"

namespace postkeep::storage {
namespace {

// https://cr.yp.to/proto/maildir.html: what lies in tmp/ for so long was given up.
constexpr std::int64_t given_up_us = std::int64_t{36} * 3600 * 1'000'000;
constexpr std::size_t names_shown_max = 5;

Finding make_finding(Finding::State state, std::string what, std::string advice = {}) {
  Finding finding;
  finding.state = state;
  finding.what = std::move(what);
  finding.advice = std::move(advice);
  return finding;
}

Finding::State mended(Repair repair) {
  return repair == Repair::yes ? Finding::State::repaired : Finding::State::damage;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// "a, b, c and 12 more"
std::string shown(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_shown_max); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > names_shown_max) text += " and " + std::to_string(names.size() - names_shown_max) + " more";
  return text;
}

// --- Files in the account's and the folders' directories ---

enum class Belongs { yes, half_written, put_aside, to_others };

Belongs belongs(std::string_view name) {
  if (name.starts_with("postkeep-") && name.ends_with(".new")) return Belongs::half_written;
  if (name.starts_with("postkeep-") || name == "cur" || name == "new" || name == "tmp") return Belongs::yes;
  if (name.ends_with(".sqlite.aside")) return Belongs::put_aside;
  if (name.starts_with("index.sqlite") || name.starts_with("search.sqlite")) return Belongs::yes;
  return name.starts_with(".") ? Belongs::yes : Belongs::to_others;  // a mailbox; its name is looked at elsewhere
}

class StrayFiles {
 public:
  StrayFiles(AccountContext& context, std::string path) : context_(context), path_(std::move(path)) {}

  Outcome look() {
    for (const std::string& name : TRY(context_.files().list(path_))) {
      const Belongs to = belongs(name);
      if (to == Belongs::half_written) half_written_.push_back(name);
      if (to == Belongs::put_aside) put_aside_.push_back(name);
      if (to == Belongs::to_others) others_.push_back(name);
    }
    const Result<std::vector<std::string>> temporary = context_.files().list(path_ + "/tmp");
    if (!temporary) return {};  // there is none
    for (const std::string& name : *temporary) {
      const Result<FileInfo> info = context_.files().info(path_ + "/tmp/" + name);
      if (!info || info->type != FileInfo::Type::regular) continue;
      const auto age_us = context_.now_us() - info->modified.time_since_epoch().count() / 1000;
      if (age_us > given_up_us) given_up_.push_back("tmp/" + name);
    }
    return {};
  }

  Outcome tell(Repair repair, std::vector<Finding>& findings) const {
    using State = Finding::State;
    for (const auto& [names, what] : {std::pair{&half_written_, " were not finished: "},
                                      std::pair{&given_up_, " were left by deliveries that ended half way: "}}) {
      if (names->empty()) continue;
      if (repair == Repair::yes) TRY(remove(*names));
      const State state = repair == Repair::yes ? State::repaired : State::note;
      findings.push_back(make_finding(state, counted(names->size(), "file") + what + shown(*names) + ".",
                                      repair == Repair::yes ? "They are removed." : "With --repair they are removed."));
    }
    if (!put_aside_.empty()) {
      findings.push_back(make_finding(State::note,
                                      "An index that could not be used was put aside: " + shown(put_aside_),
                                      "It is kept for whoever wants to know why, and may be removed."));
    }
    if (!others_.empty()) {
      findings.push_back(make_finding(State::note, "Files of other programs are left alone: " + shown(others_) + "."));
    }
    return {};
  }

 private:
  Outcome remove(const std::vector<std::string>& names) const {
    for (const std::string& name : names) TRY(context_.files().unlink(path_ + "/" + name));
    return {};
  }

  AccountContext& context_;
  const std::string path_;
  std::vector<std::string> half_written_, given_up_, put_aside_, others_;
};

// --- Permissions ---

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

// Mail is its owner's. Whoever may enter the account's directory may try the names in it, whatever their own modes are.
Outcome check_permissions(AccountContext& context, std::vector<Finding>& findings) {
  constexpr std::uint32_t owner = 0700, others = 077;
  const FileInfo account = TRY(context.files().info(context.path));
  if ((account.mode & others) != 0) {
    findings.push_back(make_finding(
        Finding::State::note,
        "Other users of this machine may enter the mail's directory: its mode is " + octal(account.mode) + ".",
        "`chmod 700 " + context.path + "` keeps them out."));
  }
  for (const char* name : {"", "/cur", "/new", "/tmp"}) {
    const Result<FileInfo> info = context.files().info(context.path + name);
    if (!info || (info->mode & owner) == owner) continue;
    findings.push_back(make_finding(
        Finding::State::damage,
        "The server's user may not write in " + context.path + name + ": its mode is " + octal(info->mode) + ".",
        "`chmod u+rwx " + context.path + name + "` mends that."));
  }
  return {};
}

// --- One mailbox ---

// What the index says of a mailbox as a whole, counted anew. `files`: of all its messages.
MailboxRow counted_anew(const MailboxState& box, const std::vector<FileRow>& files) {
  MailboxRow row = box.row;
  row.messages = box.version->count();
  row.seen = box.version->count_seen();
  row.deleted = box.version->count_deleted();
  row.octets = 0;
  for (const FileRow& file : files) row.octets += counted_octets(file);
  return row;
}

bool same_counts(const MailboxRow& a, const MailboxRow& b) {
  return a.messages == b.messages && a.seen == b.seen && a.deleted == b.deleted && a.octets == b.octets;
}

Outcome check_counts(AccountContext& context, MailboxState& box, const std::vector<FileRow>& files, Repair repair,
                     std::vector<Finding>& findings) {
  MailboxRow row = counted_anew(box, files);
  if (same_counts(row, box.row)) return {};
  findings.push_back(
      make_finding(mended(repair), "The numbers of messages or their size, as STATUS tells them, are wrong.",
                   repair == Repair::yes ? "They were counted anew." : "With --repair they are counted anew."));
  if (repair == Repair::no) return {};
  IndexChange change = TRY(IndexChange::begin(context, Commit::lazy));
  TRY(save_mailbox_row(*context.index, row));
  TRY(change.commit());
  box.row = std::move(row);
  return {};
}

Outcome check_records(AccountContext& context, MailboxState& box, Repair repair, std::vector<Finding>& findings) {
  for (const char* kind : {maildir::uids_file_name, maildir::keywords_file_name}) {
    const maildir::RecordFile file = TRY(maildir::read_records(context.files(), box.folder.path(), kind));
    if (file.damaged_lines == 0) continue;
    if (repair == Repair::yes) {
      TRY(maildir::rewrite_records(context.files(), box.folder.path(), kind, file.records));
    }
    findings.push_back(make_finding(
        mended(repair), counted(file.damaged_lines, "line") + " of " + kind + " cannot be read.",
        repair == Repair::yes ? "The file was written anew with the others."
                              : "A stop in the middle of a change leaves one such; with --repair they are removed."));
  }
  return {};
}

// Numbers that were told must lie below those that the folder's file has promised.
void check_floors(const MailboxState& box, std::vector<Finding>& findings) {
  const bool below =
      box.row.uid_next.value() <= box.file.uid_floor && box.row.highest_modseq.value() < box.file.modseq_floor;
  if (below) return;
  findings.push_back(make_finding(Finding::State::repaired,
                                  "postkeep-mailbox has lower UID or MODSEQ floors than the index has numbers.",
                                  "Was it restored from a backup? The floors were raised."));
}

// The folder was compared with the index, as it is whenever somebody looks at the mailbox.
void tell_difference(const UidSet& before, const UidSet& after, std::vector<Finding>& findings) {
  const std::uint64_t added = after.subtract(before).size(), gone = before.subtract(after).size();
  if (added != 0) {
    findings.push_back(make_finding(Finding::State::repaired,
                                    counted(added, "message file") + " that the index did not know were taken in."));
  }
  if (gone != 0) {
    findings.push_back(
        make_finding(Finding::State::repaired,
                     counted(gone, "message") + " of the index had no file any more, and counts as expunged.",
                     "If no other program removed them, restore them from a backup."));
  }
}

}  // namespace

Result<std::vector<Finding>> MaildirAccount::check_account(Repair repair) {
  std::vector<Finding> findings;
  if (index_doubtful_) TRY(replace_damaged_index());
  if (Outcome sound = context_.index->quick_check(); !sound) {
    findings.push_back(
        make_finding(mended(repair), "The index is damaged: " + sound.error().detail + ".",
                     repair == Repair::yes
                         ? "It was put aside and made anew from the messages."
                         : "With --repair it is put aside and made anew from the messages; none is lost by that."));
    if (repair == Repair::yes) TRY(rebuild_index());
  }
  TRY(mailboxes_.refresh());
  const maildir::FolderListing listing = TRY(maildir::list_folders(context_.files(), context_.path));
  if (!listing.ignored.empty()) {
    findings.push_back(make_finding(
        Finding::State::note, "Directories whose names are no mailbox's are not shown: " + shown(listing.ignored) + ".",
        "Mail in them can be had by `postkeep import --maildir`."));
  }
  TRY(check_permissions(context_, findings));
  StrayFiles files(context_, context_.path);
  TRY(files.look());
  TRY(files.tell(repair, findings));
  return findings;
}

Result<std::vector<Finding>> MaildirAccount::check_mailbox(MailboxId mailbox, Repair repair) {
  std::vector<Finding> findings;
  MailboxState* box = TRY(mailboxes_.find(mailbox));
  if (const Outcome loaded = load_mailbox(context_, *box); !loaded) {
    findings.push_back(make_finding(Finding::State::damage,
                                    "postkeep-mailbox is damaged: " + loaded.error().detail + ".",
                                    "The mailbox is refused until it is mended: docs/recovery.md says how."));
    return findings;
  }
  check_floors(*box, findings);
  const bool known_well = !box->row.scan_needed;
  const UidSet before = known_well ? TRY(watched(load_version(context_, *box)))->all_uids() : UidSet();
  // Before the folder is compared: a file without its row would be taken for a new message.
  if (known_well && TRY(load_files(*context_.index, box->row.key, before)).size() != before.size()) {
    findings.push_back(make_finding(mended(repair), "The index has messages without files.",
                                    repair == Repair::yes ? "It was put aside and made anew from the messages."
                                                          : "With --repair it is made anew from the messages."));
    if (repair == Repair::yes) {
      TRY(write_all_flags());
      TRY(rebuild_index());
      changed();
    }
    return findings;
  }
  if (TRY(watched(reconcile(context_, *box))) == Found::changes) changed();
  const MailboxVersionPtr version = TRY(watched(load_version(context_, *box)));
  if (known_well) tell_difference(before, version->all_uids(), findings);
  const std::vector<FileRow> files = TRY(load_files(*context_.index, box->row.key, version->all_uids()));
  TRY(check_counts(context_, *box, files, repair, findings));
  TRY(check_records(context_, *box, repair, findings));
  if (box->row.directory.empty()) return findings;  // INBOX's directory is the account's
  StrayFiles strays(context_, box->folder.path());
  TRY(strays.look());
  TRY(strays.tell(repair, findings));
  return findings;
}

Result<std::vector<MessageToCheck>> MaildirAccount::messages_to_check(MailboxId mailbox, const UidSet& batch) {
  MailboxState* box = TRY(ready(mailbox));
  std::vector<MessageToCheck> messages;
  for (const FileRow& file : TRY(load_files(*context_.index, box->row.key, box->version->existing(batch)))) {
    MessageToCheck message;
    message.uid = file.uid;
    Result<std::unique_ptr<MessageReader>> reader = open_file(context_, *box, file.uid);
    if (!reader && reader.error().kind == ErrorKind::expunge_issued) continue;
    if (reader) {
      message.reader = std::move(*reader);
      const Result<FileInfo> info = context_.files().info(box->folder.file_path(file.place, file.name));
      message.size_changed = info && info->size != file.octets;
    } else {
      message.error = reader.error();
    }
    if (std::optional<CacheRow> cache = TRY(find_cache(*context_.index, box->row.key, file.uid))) {
      MessageRow kept;
      kept.size = static_cast<std::uint64_t>(std::max<std::int64_t>(0, file.served));
      kept.email_id = cache->email_id;
      kept.thread_id = cache->thread_id;
      kept.ends_in_crlf = cache->ends_in_crlf;
      kept.envelope = std::move(cache->envelope);
      kept.body_structure = std::move(cache->body_structure);
      kept.cached_headers = std::move(cache->headers);
      message.kept = std::move(kept);
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

Outcome MaildirAccount::forget_content(MailboxId mailbox, const UidSet& uids) {
  MailboxState* box = TRY(ready(mailbox));
  MailboxRow row = box->row;
  IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
  for (FileRow& file : TRY(load_files(*context_.index, row.key, box->version->existing(uids)))) {
    const FileInfo info = TRY(context_.files().info(box->folder.file_path(file.place, file.name)));
    row.octets -= std::min(counted_octets(file), row.octets);
    file.octets = info.size;
    file.served = file.origin == Origin::ours ? static_cast<std::int64_t>(info.size) : served_unknown;
    row.octets += counted_octets(file);
    TRY(put_file(*context_.index, row.key, file));
    TRY(remove_cache(*context_.index, row.key, file.uid));
    TRY(add_work(*context_.index, Work::cache, row.key, file.uid));
    TRY(note_text(context_, row.key, file.uid));
  }
  TRY(save_mailbox_row(*context_.index, row));
  TRY(change.commit());
  box->row = std::move(row);
  box->columns.reset();
  changed();
  return {};
}

}  // namespace postkeep::storage
