#include "storage/account/message_changes.h"

#include "storage/account/own_change.h"
#include "storage/maildir/flag_letters.h"
#include "storage/maildir/record_file.h"
#include "storage/spool.h"

namespace postkeep::storage {
namespace {

Uid later(Uid uid, std::uint64_t by) { return Uid(static_cast<std::uint32_t>(uid.value() + by)); }
ModSeq next(ModSeq modseq) { return ModSeq(modseq.value() + 1); }

Flags flags_of_all(const std::vector<AppendItem>& items) {
  Flags all;
  for (const AppendItem& item : items) all.add(item.flags);
  return all;
}

// One append: names chosen, files linked, index written, in this order; each failure undoes what was done.
class Append {
 public:
  Append(AccountContext& context, MailboxState& box) : context_(context), box_(box), stage_(box), row_(box.row) {}

  Result<AppendResult> run(const std::vector<AppendItem>& items) {
    TRY(choose_names(items));
    const OwnChange own = TRY(OwnChange::begin(box_));
    std::optional<OpenIntent> intent;
    if (items.size() > 1) intent.emplace(TRY(write_intent()));
    // UIDs that may have reached the disk are not given again, whatever happens now.
    box_.row.uid_next = row_.uid_next;
    Outcome done = link_all(items);
    // From here on recovery keeps what it finds. Before the index, so that a failure can still be undone unseen.
    if (done && intent) done = intent->remove(maildir::Durable::now);
    if (done) done = own.note(row_);
    if (done) done = write_index();
    if (!done) {
      undo(intent);
      return tl::unexpected<Error>(done.error());
    }
    stage_.install();
    AppendResult result;
    result.uid_validity = row_.uid_validity;
    std::vector<MessageState> states;
    for (const NewMessage& message : messages_) {
      result.uids.add(message.state.uid);
      states.push_back(message.state);
    }
    advance(box_, row_, states, {});
    return result;
  }

 private:
  Outcome choose_names(const std::vector<AppendItem>& items) {
    row_.highest_modseq = next(row_.highest_modseq);
    std::vector<maildir::Record> extra;
    messages_.reserve(items.size());
    for (const AppendItem& item : items) {
      NewMessage message;
      message.flags = stage_.canonical(item.flags);
      message.state = MessageState{row_.uid_next, TRY(stage_.add(message.flags)), row_.highest_modseq};
      message.file.uid = row_.uid_next;
      message.file.octets = item.message->size();
      message.file.served = static_cast<std::int64_t>(item.message->size());
      const maildir::FileName name = maildir::FileName::make(
          context_.store.names.make_base(context_.store.clock.now()), message.file.octets,
          maildir::UidTag{row_.uid_validity, row_.uid_next}, maildir::letters_of(box_.file, message.flags));
      message.file.name = name.to_string();
      message.file.save_date = name.time().value_or(UnixTime{});
      std::vector<std::string> without = maildir::keywords_without_letter(box_.file, message.flags);
      if (!without.empty()) extra.emplace_back(maildir::KeywordsRecord{row_.uid_next, std::move(without)});
      row_.uid_next = later(row_.uid_next, 1);
      messages_.push_back(std::move(message));
    }
    return add_records(context_, box_, maildir::keywords_file_name, extra);
  }

  Result<OpenIntent> write_intent() {
    maildir::Intent intent;
    intent.kind = maildir::Intent::Kind::append;
    intent.target = row_.directory;
    for (const NewMessage& message : messages_) {
      intent.entries.push_back(maildir::Intent::Entry{Uid(0), message.state.uid, "", message.file.name});
    }
    return OpenIntent::write(context_, intent);
  }

  Outcome link_all(const std::vector<AppendItem>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto spool = std::dynamic_pointer_cast<Spool>(items[i].message);
      if (!spool) return failure(ErrorKind::server_bug, "Internal error", "append of what is not a spooled message");
      FileRow& file = messages_[i].file;
      std::optional<FileTime> wanted;
      if (items[i].internal_date) wanted = file_time(*items[i].internal_date);
      file.internal_date = unix_time(TRY(spool->link_into(box_.folder.path(), file.name, wanted)));
      ++linked_;
      if (file.octets > facts_on_arrival_octets_max) continue;
      if (spool->facts()) {
        messages_[i].facts = computed_from(*spool->facts());
      } else {
        messages_[i].facts = TRY(compute_facts(context_.files(), box_.folder.file_path(Place::cur, file.name)));
      }
    }
    return box_.folder.sync(Place::cur);
  }

  Outcome write_index() {
    IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
    TRY(stage_.write(context_));
    for (const NewMessage& message : messages_) TRY(put_in(context_, box_, row_, message));
    TRY(save_mailbox_row(*context_.index, row_));
    return change.commit();
  }

  // The first error is the one to tell. What cannot be undone stays for recovery by its intent; a single file stays
  // a message that was delivered and not acknowledged.
  void undo(std::optional<OpenIntent>& intent) {
    bool undone = true;
    for (std::size_t i = 0; i < linked_; ++i) {
      if (!context_.files().unlink(box_.folder.file_path(Place::cur, messages_[i].file.name))) undone = false;
    }
    if (linked_ > 0 && !box_.folder.sync(Place::cur)) undone = false;
    if (intent && undone) intent->finish(maildir::Durable::later);
    box_.row.cur_modified = 0;
  }

  AccountContext& context_;
  MailboxState& box_;
  FlagStage stage_;
  MailboxRow row_;
  std::vector<NewMessage> messages_;
  std::size_t linked_ = 0;
};

// What STORE will do to each message, by the versions' flag codes so that equal ones are computed once.
struct FlagPlan {
  StoreResult result;
  std::vector<MessageState> changed;
  MailboxRow row;
};

Result<FlagPlan> plan_store(const MailboxState& box, FlagStage& stage, const StoreRequest& request) {
  FlagPlan plan;
  plan.row = box.row;
  plan.row.highest_modseq = next(box.row.highest_modseq);
  std::unordered_map<FlagCode, std::pair<FlagCode, Flags>> after;
  const Flags operand = stage.canonical(request.flags);
  std::optional<Error> problem;
  box.version->for_each_in(request.uids, [&](SeqNum, const MessageState& message) {
    if (problem) return;
    if (request.unchanged_since && message.modseq > *request.unchanged_since) {
      plan.result.modified.add(message.uid);
      return;
    }
    auto known = after.find(message.flags);
    if (known == after.end()) {
      Flags changed = apply(box.version->flags_of(message), request.change, operand);
      const Result<FlagCode> code = stage.add(changed);
      if (!code) {
        problem = code.error();
        return;
      }
      known = after.emplace(message.flags, std::pair(*code, std::move(changed))).first;
    }
    if (known->second.first == message.flags) return;
    count_change(plan.row, box.version->flags_of(message), known->second.second);
    plan.result.changed.add(message.uid);
    plan.changed.push_back(MessageState{message.uid, known->second.first, plan.row.highest_modseq});
  });
  if (problem) return tl::unexpected<Error>(*problem);
  return plan;
}

}  // namespace

Outcome put_rows(AccountContext& context, MailboxState& box, MailboxRow& row, const NewMessage& message) {
  Database& index = *context.index;
  FileRow file = message.file;
  if (message.facts) file.served = static_cast<std::int64_t>(message.facts->served);
  TRY(put_message(index, box.row.key, message.state));
  TRY(put_file(index, box.row.key, file));
  TRY(note_text(context, box.row.key, message.state.uid));
  count_in(row, message.flags, counted_octets(file));
  return {};
}

Outcome put_in(AccountContext& context, MailboxState& box, MailboxRow& row, const NewMessage& message) {
  TRY(put_rows(context, box, row, message));
  if (!message.facts) return add_work(*context.index, Work::cache, box.row.key, message.state.uid);
  return put_cache(*context.index, box.row.key, message.state.uid, message.facts->cache);
}

Result<AppendResult> append_messages(AccountContext& context, MailboxState& box, const std::vector<AppendItem>& items) {
  AppendResult none;
  none.uid_validity = box.row.uid_validity;
  if (items.empty()) return none;
  TRY(define_keywords(context, box, flags_of_all(items)));
  TRY(reserve(context, box, items.size()));
  return Append(context, box).run(items);
}

Result<StoreResult> store_message_flags(AccountContext& context, MailboxState& box, const StoreRequest& request) {
  // A keyword that nobody has cannot be removed, and need not be defined for it.
  if (request.change != FlagChange::remove) TRY(check_keywords(context, box, request.flags));
  TRY(reserve(context, box, 0));
  FlagStage stage(box);
  FlagPlan plan = TRY(plan_store(box, stage, request));
  if (plan.changed.empty()) return std::move(plan.result);
  if (request.change != FlagChange::remove) TRY(define_keywords(context, box, request.flags));
  {
    IndexChange change = TRY(IndexChange::begin(context, Commit::durable));
    TRY(stage.write(context));
    for (const MessageState& message : plan.changed) {
      TRY(put_message(*context.index, box.row.key, message));
      TRY(add_work(*context.index, Work::flags, box.row.key, message.uid));
    }
    TRY(save_mailbox_row(*context.index, plan.row));
    TRY(change.commit());
  }
  stage.install();
  advance(box, std::move(plan.row), plan.changed, {});
  return std::move(plan.result);
}

Outcome take_out(AccountContext& context, MailboxState& box, MailboxRow& row, const UidSet& uids, FilesAre files) {
  Database& index = *context.index;
  UidSet known;
  for (const FileRow& file : TRY(load_files(index, box.row.key, uids))) {
    const std::optional<MessageState> message = box.version->find(file.uid);
    if (!message) continue;
    known.add(file.uid);
    TRY(note_text(context, box.row.key, file.uid));
    count_out(row, box.version->flags_of(*message), counted_octets(file));
  }
  if (files == FilesAre::doomed) {
    TRY(add_unlinks(index, box.row.key, known));
  } else {
    TRY(remove_files(index, box.row.key, known));
  }
  TRY(remove_messages(index, box.row.key, known));
  return add_expunged(index, box.row.key, row.highest_modseq, uids);
}

namespace {

// The record in postkeep-uids is the commit: synced before the answer, it keeps the messages from rising again even
// if the index is lost before their files are unlinked.
Outcome remove_messages(AccountContext& context, MailboxState& box, const UidSet& gone) {
  TRY(reserve(context, box, 0));
  std::vector<maildir::Record> records;
  for (const UidSet::Range& range : gone.ranges()) records.emplace_back(maildir::GoneRecord{range.first, range.last});
  TRY(add_records(context, box, maildir::uids_file_name, records));
  MailboxRow row = box.row;
  row.highest_modseq = next(row.highest_modseq);
  {
    IndexChange change = TRY(IndexChange::begin(context, Commit::lazy));
    TRY(take_out(context, box, row, gone, FilesAre::doomed));
    TRY(save_mailbox_row(*context.index, row));
    TRY(change.commit());
  }
  advance(box, std::move(row), {}, gone);
  return {};
}

}  // namespace

Result<UidSet> expunge_messages(AccountContext& context, MailboxState& box, const UidSet& uids) {
  UidSet gone;
  box.version->for_each_in(uids, [&](SeqNum, const MessageState& message) {
    if (box.version->flags_of(message).has(SystemFlag::deleted)) gone.add(message.uid);
  });
  if (gone.empty()) return gone;
  TRY(remove_messages(context, box, gone));
  return gone;
}

// An append is not taken back where the removal fails: its record may have reached the disk, and then neither message
// would be left.
Result<AppendResult> replace_message(AccountContext& context, MailboxState& from, Uid uid, MailboxState& to,
                                     const AppendItem& item) {
  TRY(reserve(context, from, 0));
  const std::vector<AppendItem> items{item};
  AppendResult appended = TRY(append_messages(context, to, items));
  TRY(remove_messages(context, from, UidSet{uid}));
  return appended;
}

}  // namespace postkeep::storage
