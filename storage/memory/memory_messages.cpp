// The memory backend's messages: append, fetch, flags, copy, move, expunge, search, versions.
#include <algorithm>
#include <limits>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"
#include "storage/memory/memory_account.h"
#include "storage/message_facts.h"
#include "storage/search_eval.h"

namespace postkeep::storage::memory {
namespace {

class ContentReader final : public MessageReader {
 public:
  explicit ContentReader(Content content) : content_(std::move(content)) {}
  std::uint64_t size() const override { return content_->size(); }
  Outcome read(std::uint64_t offset, std::size_t count, std::string& out) override {
    if (offset < content_->size()) out += std::string_view(*content_).substr(offset, count);
    return {};
  }

 private:
  Content content_;
};

class Contents final : public MessageFiles {
 public:
  void add(Uid uid, Content content) { contents_.emplace(uid, std::move(content)); }
  Result<std::unique_ptr<MessageReader>> open(Uid uid) const override {
    const auto found = contents_.find(uid);
    if (found == contents_.end()) return failure(ErrorKind::not_found, "The message is not there");
    return std::make_unique<ContentReader>(found->second);
  }

 private:
  std::map<Uid, Content> contents_;
};

// Everything, wanted or not: computed anew each time, so that it cannot be stale.
MessageRow full_row(Uid uid, const Message& message) {
  MessageFacts facts;
  facts.feed(*message.content);
  MessageRow row = facts.finish();
  row.uid = uid;
  row.internal_date = message.internal_date;
  row.save_date = message.save_date;
  return row;
}

MessageRow wanted_row(Uid uid, const Message& message, const FetchWants& wants) {
  MessageRow full = full_row(uid, message);
  MessageRow row;
  row.uid = uid;
  if (wants.dates) {
    row.internal_date = full.internal_date;
    row.save_date = full.save_date;
  }
  if (wants.size) row.size = full.size;
  if (wants.line_end) row.ends_in_crlf = full.ends_in_crlf;
  if (wants.object_ids) {
    row.email_id = full.email_id;
    row.thread_id = full.thread_id;
  }
  if (wants.envelope) row.envelope = std::move(full.envelope);
  if (wants.body_structure) row.body_structure = std::move(full.body_structure);
  if (wants.headers) row.cached_headers = std::move(full.cached_headers);
  return row;
}

class Subject final : public SearchSubject {
 public:
  Subject(Uid uid, const Message& message) : uid_(uid), message_(message) {}
  Uid uid() override { return uid_; }
  ModSeq modseq() override { return message_.modseq; }
  const Flags& flags() override { return message_.flags; }
  Result<const MessageRow*> row() override {
    row_ = full_row(uid_, message_);
    return &row_;
  }
  Result<std::unique_ptr<MessageReader>> open() override { return std::make_unique<ContentReader>(message_.content); }

 private:
  Uid uid_;
  const Message& message_;
  MessageRow row_;
};

// The UIDs of `uids` that the folder has.
UidSet present(const Folder& folder, const UidSet& uids) { return folder.version->existing(uids); }

}  // namespace

UnixTime MemoryAccount::now() const {
  return UnixTime{std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count()};
}

std::vector<std::string> MemoryAccount::known_keywords(const Folder& folder) const {
  if (folder.keywords.size() < options_.keywords_max) return folder.keywords;
  std::vector<std::string> in_use;
  for (const std::string& keyword : folder.keywords) {
    if (std::any_of(folder.messages.begin(), folder.messages.end(),
                    [&](const auto& entry) { return entry.second.flags.has_keyword(keyword); })) {
      in_use.push_back(keyword);
    }
  }
  return in_use;
}

Result<Flags> MemoryAccount::adopt_keywords(std::vector<std::string>& keywords, const Flags& flags) const {
  Flags adopted;
  adopted.set_system_bits(flags.system_bits());
  for (const std::string& keyword : flags.keywords()) {
    auto known = std::find_if(keywords.begin(), keywords.end(),
                              [&](const std::string& other) { return ascii::iequals(other, keyword); });
    if (known == keywords.end()) {
      if (keywords.size() >= options_.keywords_max) {
        return failure(ErrorKind::limit, "The mailbox has too many different keywords");
      }
      known = keywords.insert(keywords.end(), keyword);
    }
    adopted.add_keyword(*known);
  }
  return adopted;
}

Outcome MemoryAccount::check_uids_left(const Folder& folder, std::uint64_t wanted) const {
  if (wanted > std::numeric_limits<std::uint32_t>::max() - folder.uid_next.value()) {
    return failure(ErrorKind::limit, "The mailbox has no more UIDs to give");
  }
  return {};
}

void MemoryAccount::commit(Folder& folder, const UidSet& touched, const UidSet& removed) const {
  folder.highest_modseq = ModSeq(folder.highest_modseq.value() + 1);
  std::vector<MessageState> states;
  touched.for_each([&](Uid uid) {
    Message& message = folder.messages.at(uid);
    message.modseq = folder.highest_modseq;
    const std::optional<FlagCode> code = folder.interner.code_of(message.flags);
    ENSURE(code, "the memory backend is not for 65,536 combinations of flags");
    states.push_back(MessageState{uid, *code, message.modseq});
  });
  removed.for_each([&](Uid uid) {
    folder.messages.erase(uid);
    folder.expunged[uid] = folder.highest_modseq;
  });
  MailboxVersion::Facts facts = folder.version->facts();
  facts.uid_next = folder.uid_next;
  facts.highest_modseq = folder.highest_modseq;
  facts.first_recent = folder.first_recent;
  facts.keywords = folder.keywords;
  folder.version = folder.version->with_changes(std::move(facts), folder.interner.table(), states, removed);
}

Result<MailboxVersionPtr> MemoryAccount::version(MailboxId mailbox) { return TRY(folder(mailbox))->version; }

Outcome MemoryAccount::refresh(MailboxId mailbox) {
  TRY(folder(mailbox));
  return {};
}

Result<Uid> MemoryAccount::claim_recent(MailboxId mailbox) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  const Uid first = folder->first_recent;
  folder->first_recent = folder->uid_next;
  MailboxVersion::Facts facts = folder->version->facts();
  facts.first_recent = folder->first_recent;
  folder->version = folder->version->with_changes(std::move(facts), folder->version->flag_table(), {}, {});
  return first;
}

Result<UidSet> MemoryAccount::expunged_since(MailboxId mailbox, ModSeq since) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  UidSet result;
  for (const auto& [uid, modseq] : folder->expunged) {
    if (modseq > since) result.add(uid);
  }
  return result;
}

Result<std::shared_ptr<Incoming>> MemoryAccount::begin_incoming(std::uint64_t limit) {
  return std::make_shared<MemoryIncoming>(limit);
}

Result<AppendResult> MemoryAccount::append(MailboxId mailbox, const std::vector<AppendItem>& items) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  AppendResult result = TRY(put(*folder, items, QuotaUsage()));
  if (!result.uids.empty()) changed();
  return result;
}

Result<AppendResult> MemoryAccount::replace(MailboxId from, Uid uid, MailboxId to, const AppendItem& item) {
  const FolderPtr source = TRY(folder(from));
  const FolderPtr target = TRY(folder(to));
  const auto replaced = source->messages.find(uid);
  if (replaced == source->messages.end()) return failure(ErrorKind::expunge_issued, "The message is gone");
  const std::vector<AppendItem> items{item};
  AppendResult result = TRY(put(*target, items, QuotaUsage{replaced->second.content->size(), 1}));
  commit(*source, UidSet(), UidSet{uid});
  changed();
  return result;
}

Result<AppendResult> MemoryAccount::put(Folder& folder, const std::vector<AppendItem>& items,
                                        const QuotaUsage& freed) const {
  TRY(check_uids_left(folder, items.size()));
  std::vector<std::string> keywords = known_keywords(folder);
  std::vector<Message> messages;
  for (const AppendItem& item : items) {
    const auto incoming = std::dynamic_pointer_cast<MemoryIncoming>(item.message);
    if (!incoming || !incoming->content()) {
      return failure(ErrorKind::server_bug, "Internal error", "append of what is not a finished message of this store");
    }
    Message message;
    message.content = incoming->content();
    message.flags = TRY(adopt_keywords(keywords, item.flags));
    message.internal_date = item.internal_date.value_or(now());
    message.save_date = now();
    messages.push_back(std::move(message));
  }
  AppendResult result;
  result.uid_validity = folder.uid_validity;
  if (messages.empty()) return result;
  TRY(check_room_for(messages, freed));
  folder.keywords = std::move(keywords);
  for (Message& message : messages) {
    folder.messages.emplace(folder.uid_next, std::move(message));
    result.uids.add(folder.uid_next);
    folder.uid_next = Uid(folder.uid_next.value() + 1);
  }
  commit(folder, result.uids, UidSet());
  return result;
}

Result<std::vector<MessageRow>> MemoryAccount::fetch(MailboxId mailbox, const UidSet& uids, const FetchWants& wants) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  std::vector<MessageRow> rows;
  present(*folder, uids).for_each([&](Uid uid) { rows.push_back(wanted_row(uid, folder->messages.at(uid), wants)); });
  return rows;
}

Outcome MemoryAccount::visit_rows(MailboxId mailbox, const UidSet& uids, const FetchWants& wants,
                                  const RowVisitor& visit) {
  for (MessageRow& row : TRY(fetch(mailbox, uids, wants))) {
    if (!visit(row)) break;
  }
  return {};
}

Result<std::unique_ptr<MessageFiles>> MemoryAccount::find_files(MailboxId mailbox, const UidSet& uids) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  auto files = std::make_unique<Contents>();
  present(*folder, uids).for_each([&](Uid uid) { files->add(uid, folder->messages.at(uid).content); });
  return files;
}

QuotaUsage MemoryAccount::usage() const {
  QuotaUsage used;
  for (const auto& [name, folder] : data_->folders) {
    used.messages += folder->messages.size();
    for (const auto& [uid, message] : folder->messages) used.octets += message.content->size();
  }
  return used;
}

Outcome MemoryAccount::check_room_for(const std::vector<Message>& messages, const QuotaUsage& freed) const {
  QuotaUsage added;
  added.messages = messages.size();
  for (const Message& message : messages) added.octets += message.content->size();
  return check_room_instead_of(limits_of(data_->quota, options_.quota), usage(), freed, added);
}

QuotaLimits MemoryAccount::quota_limits() const { return limits_of(data_->quota, options_.quota); }

Result<Quota> MemoryAccount::quota() { return Quota{usage(), quota_limits(), data_->quota}; }

Outcome MemoryAccount::look_for_room(const QuotaUsage& added) const {
  return check_room(quota_limits(), usage(), added);
}

Outcome MemoryAccount::set_quota(const QuotaLimits& own) {
  data_->quota = own;
  return {};
}

Result<std::vector<Finding>> MemoryAccount::check_mailbox(MailboxId mailbox, Repair) {
  TRY(this->folder(mailbox));
  return std::vector<Finding>();
}

Result<std::vector<MessageToCheck>> MemoryAccount::messages_to_check(MailboxId mailbox, const UidSet& batch) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  std::vector<MessageToCheck> messages;
  for (const Uid uid : present(*folder, batch).to_vector()) {
    MessageToCheck& message = messages.emplace_back();
    message.uid = uid;
    message.reader = TRY(open_message(mailbox, uid));
    message.kept = full_row(uid, folder->messages.at(uid));
  }
  return messages;
}

Outcome MemoryAccount::forget_content(MailboxId mailbox, const UidSet&) {
  TRY(this->folder(mailbox));
  return {};
}

Result<std::unique_ptr<MessageReader>> MemoryAccount::open_message(MailboxId mailbox, Uid uid) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  const auto message = folder->messages.find(uid);
  if (message == folder->messages.end()) return failure(ErrorKind::expunge_issued, "The message is gone");
  return std::make_unique<ContentReader>(message->second.content);
}

Result<StoreResult> MemoryAccount::store_flags(MailboxId mailbox, const UidSet& uids, FlagChange change,
                                               const Flags& flags, std::optional<ModSeq> unchanged_since) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  StoreResult result;
  std::vector<std::string> keywords = known_keywords(*folder);
  // A keyword that nobody has cannot be removed, and need not be defined for it.
  const Flags operand = change == FlagChange::remove ? flags : TRY(adopt_keywords(keywords, flags));
  std::map<Uid, Flags> after;
  present(*folder, uids).for_each([&](Uid uid) {
    const Message& message = folder->messages.at(uid);
    if (unchanged_since && message.modseq > *unchanged_since) {
      result.modified.add(uid);
      return;
    }
    const Flags changed_flags = apply(message.flags, change, operand);
    if (changed_flags == message.flags) return;
    result.changed.add(uid);
    after[uid] = changed_flags;
  });
  if (result.changed.empty()) return result;
  folder->keywords = std::move(keywords);
  for (auto& [uid, new_flags] : after) folder->messages.at(uid).flags = std::move(new_flags);
  commit(*folder, result.changed, UidSet());
  changed();
  return result;
}

Result<CopyResult> MemoryAccount::copy_messages(const Folder& from, const UidSet& uids, Folder& to, Room room) const {
  CopyResult result;
  result.uid_validity = to.uid_validity;
  result.source = present(from, uids);
  TRY(check_uids_left(to, result.source.size()));
  std::vector<std::string> keywords = known_keywords(to);
  std::vector<Message> messages;
  for (const Uid uid : result.source.to_vector()) {
    Message message = from.messages.at(uid);
    message.flags = TRY(adopt_keywords(keywords, message.flags));
    message.save_date = now();
    messages.push_back(std::move(message));
  }
  if (messages.empty()) return result;
  if (room == Room::checked) TRY(check_room_for(messages));
  to.keywords = std::move(keywords);
  for (Message& message : messages) {
    to.messages.emplace(to.uid_next, std::move(message));
    result.target.add(to.uid_next);
    to.uid_next = Uid(to.uid_next.value() + 1);
  }
  commit(to, result.target, UidSet());
  return result;
}

Result<CopyResult> MemoryAccount::copy(MailboxId from, const UidSet& uids, MailboxId to) {
  const FolderPtr source = TRY(folder(from));
  const FolderPtr target = TRY(folder(to));
  CopyResult result = TRY(copy_messages(*source, uids, *target, Room::checked));
  if (!result.target.empty()) changed();
  return result;
}

Result<CopyResult> MemoryAccount::move(MailboxId from, const UidSet& uids, MailboxId to) {
  const FolderPtr source = TRY(folder(from));
  const FolderPtr target = TRY(folder(to));
  CopyResult result = TRY(copy_messages(*source, uids, *target, Room::not_needed));
  if (result.source.empty()) return result;
  commit(*source, UidSet(), result.source);
  changed();
  return result;
}

Result<UidSet> MemoryAccount::expunge(MailboxId mailbox, const UidSet& uids) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  UidSet gone;
  present(*folder, uids).for_each([&](Uid uid) {
    if (folder->messages.at(uid).flags.has(SystemFlag::deleted)) gone.add(uid);
  });
  if (gone.empty()) return gone;
  commit(*folder, UidSet(), gone);
  changed();
  return gone;
}

Result<UidSet> MemoryAccount::search(MailboxId mailbox, const SearchKey& key, const UidSet& candidates) {
  const FolderPtr folder = TRY(this->folder(mailbox));
  const SearchEvaluator evaluator(key, now());
  UidSet found;
  for (const Uid uid : present(*folder, candidates).to_vector()) {
    Subject subject(uid, folder->messages.at(uid));
    if (TRY(evaluator.matches(subject))) found.add(uid);
  }
  return found;
}

Result<MessageKeys> MemoryAccount::message_keys(MailboxId mailbox, const UidSet& uids,
                                                const std::vector<Column>& columns) {
  constexpr std::uint64_t turn = 500;
  const FolderPtr folder = TRY(this->folder(mailbox));
  MessageKeys keys;
  keys.uids = first_of(uids, turn);
  keys.columns.resize(columns.size());
  ColumnBuilder builder(columns);
  for (const Uid uid : present(*folder, keys.uids).to_vector()) {
    const Message& message = folder->messages.at(uid);
    const MessageRow row = full_row(uid, message);
    builder.add_row(uid, row.internal_date, row.save_date, row.size);
    ContentReader reader(message.content);
    builder.add_header(uid, TRY(read_header_block(reader)));
  }
  std::vector<ColumnPiece> pieces = builder.take();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].size() > 0) keys.columns[i].push_back(std::make_shared<const ColumnPiece>(std::move(pieces[i])));
  }
  return keys;
}

}  // namespace postkeep::storage::memory
