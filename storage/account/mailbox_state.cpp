#include "storage/account/mailbox_state.h"

#include <algorithm>
#include <limits>

#include "protocol/base/ascii.h"
#include "storage/index/message_sql.h"
#include "storage/maildir/flag_letters.h"

namespace postkeep::storage {
namespace {

constexpr std::size_t flag_sets_max = std::numeric_limits<FlagCode>::max();
constexpr std::uint64_t uids_end = std::uint64_t{1} << 32;

// Equal for equal flags, whatever the keywords' spelling.
std::string canonical_text(const Flags& flags) {
  std::string text(1, static_cast<char>(flags.system_bits()));
  for (const std::string& keyword : flags.keywords()) {
    text += ' ';
    for (const char c : keyword) text += ascii::to_lower(c);
  }
  return text;
}

void know(MailboxState& box, const Flags& flags) {
  for (const std::string& keyword : flags.keywords()) box.keywords.add_keyword(keyword);
}

std::vector<std::string> new_keywords(const MailboxState& box, const Flags& flags) {
  std::vector<std::string> fresh;
  for (const std::string& keyword : flags.keywords()) {
    if (!box.keywords.has_keyword(keyword)) fresh.push_back(keyword);
  }
  return fresh;
}

// The folder file of a mailbox whose own was lost: same identity, floors above all that was told.
Outcome restore_folder_file(AccountContext& context, MailboxState& box) {
  box.file = maildir::MailboxFile();
  box.file.uid_validity = box.row.uid_validity;
  box.file.id = box.row.id;
  box.file.special_use = box.row.special_use;
  box.file.uid_floor = std::min(uids_end, box.row.uid_next.value() + uid_block);
  box.file.modseq_floor = box.row.highest_modseq.value() + modseq_block;
  return maildir::write_mailbox_file(context.files(), box.folder.path(), box.file);
}

}  // namespace

MailboxVersion::Facts MailboxState::facts() const {
  MailboxVersion::Facts facts;
  facts.mailbox = row.id;
  facts.uid_validity = row.uid_validity;
  facts.uid_next = row.uid_next;
  facts.highest_modseq = row.highest_modseq;
  facts.first_recent = row.first_recent;
  facts.keywords = keywords.keywords();
  return facts;
}

Outcome load_mailbox(AccountContext& context, MailboxState& box) {
  if (box.loaded) return {};
  Result<maildir::MailboxFile> file = maildir::read_mailbox_file(context.files(), box.folder.path());
  if (file) {
    box.file = std::move(*file);
  } else if (file.error().kind == ErrorKind::not_found) {
    TRY(restore_folder_file(context, box));
  } else {
    return tl::unexpected<Error>(file.error());
  }
  std::vector<Flags> sets = TRY(load_flag_sets(*context.index, box.row.key));
  box.codes.clear();
  box.keywords = Flags();
  for (const std::string& keyword : box.file.keywords) {
    if (!keyword.empty()) box.keywords.add_keyword(keyword);
  }
  for (std::size_t code = 0; code < sets.size(); ++code) {
    box.codes.emplace(canonical_text(sets[code]), static_cast<FlagCode>(code));
    know(box, sets[code]);
  }
  box.flag_table = make_pooled<const FlagTable>(sets);
  box.loaded = true;
  // A folder put back from a backup has lower floors than what was told since.
  if (box.file.uid_floor < box.row.uid_next.value() || box.file.modseq_floor <= box.row.highest_modseq.value()) {
    TRY(reserve(context, box, 0));
  }
  return {};
}

Result<MailboxVersionPtr> load_version(AccountContext& context, MailboxState& box) {
  if (box.version) return box.version;
  TRY(load_mailbox(context, box));
  VersionBuilder builder(box.flag_table);
  bool flags_known = true;
  TRY(visit_messages(*context.index, box.row.key, [&](const MessageState& message) {
    flags_known = flags_known && message.flags < box.flag_table->size();
    if (flags_known) builder.add(message);
  }));
  if (!flags_known) return failure(ErrorKind::corruption, "A mail index is damaged", "message with unknown flag code");
  box.version = builder.finish(box.facts());
  return box.version;
}

Outcome reserve(AccountContext& context, MailboxState& box, std::uint64_t uids) {
  const std::uint64_t uids_after = box.row.uid_next.value() + uids;
  const std::uint64_t modseq_after = box.row.highest_modseq.value() + 1;
  if (uids_after >= uids_end) return failure(ErrorKind::limit, "The mailbox has no UIDs left");
  if (uids_after <= box.file.uid_floor && modseq_after < box.file.modseq_floor) return {};
  maildir::MailboxFile raised = box.file;
  if (uids_after > raised.uid_floor) raised.uid_floor = std::min(uids_end, uids_after + uid_block);
  if (modseq_after >= raised.modseq_floor) raised.modseq_floor = modseq_after + modseq_block;
  TRY(maildir::write_mailbox_file(context.files(), box.folder.path(), raised));
  box.file = std::move(raised);
  return {};
}

Flags FlagStage::canonical(const Flags& flags) const {
  Flags known;
  known.set_system_bits(flags.system_bits());
  const std::vector<std::string>& all = box_.keywords.keywords();
  for (const std::string& keyword : flags.keywords()) {
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const std::string& other) { return ascii::iequals(other, keyword); });
    known.add_keyword(same != all.end() ? *same : keyword);
  }
  return known;
}

Result<FlagCode> FlagStage::add(const Flags& flags) {
  std::string text = canonical_text(flags);
  if (const auto known = box_.codes.find(text); known != box_.codes.end()) return known->second;
  const std::size_t base = box_.flag_table->size();
  for (std::size_t i = 0; i < added_.size(); ++i) {
    if (added_[i].first == text) return static_cast<FlagCode>(base + i);
  }
  const std::size_t code = base + added_.size();
  if (code > flag_sets_max) return failure(ErrorKind::limit, "The mailbox has too many combinations of flags");
  added_.emplace_back(std::move(text), canonical(flags));
  return static_cast<FlagCode>(code);
}

Outcome FlagStage::write(AccountContext& context) {
  auto code = static_cast<std::int64_t>(box_.flag_table->size());
  for (const auto& [text, flags] : added_) TRY(add_flag_set(*context.index, box_.row.key, code++, flags));
  return {};
}

void FlagStage::install() {
  if (added_.empty()) return;
  std::vector<Flags> sets;
  sets.reserve(box_.flag_table->size() + added_.size());
  for (std::size_t i = 0; i < box_.flag_table->size(); ++i)
    sets.push_back(box_.flag_table->flags(static_cast<FlagCode>(i)));
  for (auto& [text, flags] : added_) {
    box_.codes.emplace(std::move(text), static_cast<FlagCode>(sets.size()));
    know(box_, flags);
    sets.push_back(std::move(flags));
  }
  added_.clear();
  box_.flag_table = make_pooled<const FlagTable>(sets);
}

Outcome check_keywords(const AccountContext& context, const MailboxState& box, const Flags& flags) {
  const std::size_t fresh = new_keywords(box, flags).size();
  if (fresh > 0 && box.keywords.keywords().size() + fresh > context.store.options.keywords_max) {
    return failure(ErrorKind::limit, "The mailbox has too many keywords");
  }
  return {};
}

Outcome define_keywords(AccountContext& context, MailboxState& box, const Flags& flags) {
  TRY(check_keywords(context, box, flags));
  const std::vector<std::string> fresh = new_keywords(box, flags);
  if (fresh.empty()) return {};
  maildir::MailboxFile table = box.file;
  for (const std::string& keyword : fresh) {
    if (ascii::iequals(keyword, maildir::forwarded_keyword)) continue;
    const auto free = std::find(table.keywords.begin(), table.keywords.end(), std::string());
    if (free != table.keywords.end()) *free = keyword;
  }
  if (table.keywords != box.file.keywords) {
    TRY(maildir::write_mailbox_file(context.files(), box.folder.path(), table));
    box.file = std::move(table);
  }
  for (const std::string& keyword : fresh) box.keywords.add_keyword(keyword);
  return {};
}

// A torn last line would swallow the next record, so the files are looked at before the first append, and put right
// after an append that failed (a record whose sync failed must not be believed).
Outcome add_records(AccountContext& context, MailboxState& box, const char* kind,
                    const std::vector<maildir::Record>& records) {
  if (records.empty()) return {};
  FileSystem& files = context.files();
  const std::string& path = box.folder.path();
  if (!box.records_checked) {
    for (const char* each : {maildir::uids_file_name, maildir::keywords_file_name}) {
      const maildir::RecordFile found = TRY(maildir::read_records(files, path, each));
      if (found.damaged_lines > 0) TRY(maildir::rewrite_records(files, path, each, found.records));
    }
    box.records_checked = true;
  }
  Outcome appended = maildir::append_records(files, path, kind, records);
  if (appended) return appended;
  box.records_checked = false;
  Result<maildir::RecordFile> found = maildir::read_records(files, path, kind);
  if (!found) return appended;
  std::erase_if(found->records, [&](const maildir::Record& record) {
    return std::find(records.begin(), records.end(), record) != records.end();
  });
  (void)maildir::rewrite_records(files, path, kind, found->records);  // the first error is the one to tell
  return appended;
}

void distrust(MailboxState& box, Uid adopt_from) {
  box.row.adopt_from = box.row.scan_needed ? std::min(box.row.adopt_from, adopt_from) : adopt_from;
  box.row.scan_needed = true;
  box.version.reset();
}

void advance(MailboxState& box, MailboxRow row, const std::vector<MessageState>& changed, const UidSet& removed) {
  box.row = std::move(row);
  if (box.version) box.version = box.version->with_changes(box.facts(), box.flag_table, changed, removed);
}

void count_in(MailboxRow& row, const Flags& flags, std::uint64_t octets) {
  ++row.messages;
  row.octets += octets;
  if (flags.has(SystemFlag::seen)) ++row.seen;
  if (flags.has(SystemFlag::deleted)) ++row.deleted;
}

void count_out(MailboxRow& row, const Flags& flags, std::uint64_t octets) {
  --row.messages;
  row.octets -= std::min(octets, row.octets);
  if (flags.has(SystemFlag::seen)) --row.seen;
  if (flags.has(SystemFlag::deleted)) --row.deleted;
}

void count_change(MailboxRow& row, const Flags& before, const Flags& after) {
  row.seen += static_cast<std::uint32_t>(after.has(SystemFlag::seen)) -
              static_cast<std::uint32_t>(before.has(SystemFlag::seen));
  row.deleted += static_cast<std::uint32_t>(after.has(SystemFlag::deleted)) -
                 static_cast<std::uint32_t>(before.has(SystemFlag::deleted));
}

}  // namespace postkeep::storage
