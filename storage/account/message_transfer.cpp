#include "storage/account/message_transfer.h"

#include <optional>
#include <vector>

#include "storage/account/message_changes.h"
#include "storage/account/own_change.h"
#include "storage/account/reconcile.h"
#include "storage/body_reader.h"
#include "storage/maildir/flag_letters.h"
#include "storage/maildir/record_file.h"

namespace postkeep::storage {
namespace {

constexpr std::size_t copy_block_octets = 256 * 1024;

// A synced copy of a foreign message as it is served, in <to>/tmp; its time is the message's INTERNALDATE.
Outcome write_converted(FileSystem& files, MessageReader& reader, FileTime modified, const std::string& path) {
  const std::unique_ptr<File> file = TRY(files.create(path, FileSystem::Existing::truncate));
  std::string block;
  for (std::uint64_t at = 0; at < reader.size(); at += block.size()) {
    block.clear();
    TRY(reader.read(at, copy_block_octets, block));
    if (block.empty()) return failure(ErrorKind::corruption, "A message is shorter than it was");
    TRY(file->append(block));
  }
  TRY(file->set_modified(modified));
  return file->sync();
}

class Transfer {
 public:
  Transfer(AccountContext& context, TransferKind kind, MailboxState& from, MailboxState& to)
      : context_(context), kind_(kind), from_(from), to_(to), stage_(to), to_row_(to.row) {}

  Result<CopyResult> run(std::vector<FileRow> sources) {
    sources_ = std::move(sources);
    TRY(prepare());
    const OwnChange own_to = TRY(OwnChange::begin(to_));
    const OwnChange own_from = TRY(OwnChange::begin(from_));
    std::optional<OpenIntent> intent;
    if (needs_intent()) intent.emplace(TRY(write_intent()));
    // UIDs that may have reached the disk are not given again, whatever happens now.
    to_.row.uid_next = to_row_.uid_next;
    MailboxRow from_row = from_.row;
    Outcome done = transfer_all();
    // From here on recovery keeps what it finds of a copy. Before the index, so that a failure can be undone unseen.
    if (done && intent && kind_ == TransferKind::copy) {
      done = intent->remove(maildir::Durable::now);
      if (done) intent.reset();
    }
    if (done) done = own_to.note(to_row_);
    if (done && kind_ == TransferKind::move && &from_ != &to_) done = own_from.note(from_row);
    if (done) done = write_index(from_row);
    if (!done && commit_tried_ && kind_ == TransferKind::move) return settle_by_listing(done.error(), intent);
    if (!done) {
      undo(intent);
      return tl::unexpected<Error>(done.error());
    }
    CopyResult result = finish(std::move(from_row));
    if (intent) intent->finish(maildir::Durable::later);
    return result;
  }

 private:
  bool within_one() const { return &from_ == &to_; }
  std::string source_path(const FileRow& file) const { return from_.folder.file_path(file.place, file.name); }

  Outcome prepare() {
    to_row_.highest_modseq = ModSeq(to_row_.highest_modseq.value() + 1);
    std::vector<maildir::Record> extra;
    messages_.reserve(sources_.size());
    for (const FileRow& source : sources_) {
      const std::optional<MessageState> state = from_.version->find(source.uid);
      if (!state) return failure(ErrorKind::server_bug, "Internal error", "a file without a message");
      NewMessage message;
      message.flags = stage_.canonical(from_.version->flags_of(*state));
      message.state = MessageState{to_row_.uid_next, TRY(stage_.add(message.flags)), to_row_.highest_modseq};
      message.file.uid = to_row_.uid_next;
      message.file.internal_date = source.internal_date;
      message.file.octets = message_octets(source);
      message.file.served = static_cast<std::int64_t>(message.file.octets);
      const maildir::FileName name = maildir::FileName::make(
          context_.store.names.make_base(context_.store.clock.now()), message.file.octets,
          maildir::UidTag{to_row_.uid_validity, to_row_.uid_next}, maildir::letters_of(to_.file, message.flags));
      message.file.name = name.to_string();
      message.file.save_date = name.time().value_or(UnixTime{});
      std::vector<std::string> without = maildir::keywords_without_letter(to_.file, message.flags);
      if (!without.empty()) extra.emplace_back(maildir::KeywordsRecord{to_row_.uid_next, std::move(without)});
      to_row_.uid_next = Uid(to_row_.uid_next.value() + 1);
      messages_.push_back(std::move(message));
    }
    return add_records(context_, to_, maildir::keywords_file_name, extra);
  }

  static std::uint64_t message_octets(const FileRow& source) {
    return source.served != served_unknown ? static_cast<std::uint64_t>(source.served) : source.octets;
  }

  // A single file of ours needs none: its rename is the commit. Another program's may be written anew instead.
  bool needs_intent() const {
    return sources_.size() > 1 || (kind_ == TransferKind::move && sources_.front().origin == Origin::foreign);
  }

  Result<OpenIntent> write_intent() {
    maildir::Intent intent;
    intent.kind = kind_ == TransferKind::copy ? maildir::Intent::Kind::copy : maildir::Intent::Kind::move;
    intent.source = from_.row.directory;
    intent.target = to_.row.directory;
    intent.entries.reserve(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      intent.entries.push_back(
          maildir::Intent::Entry{sources_[i].uid, messages_[i].state.uid, sources_[i].name, messages_[i].file.name});
    }
    return OpenIntent::write(context_, intent);
  }

  // The target first: a message in both mailboxes after a power cut is better than one in neither.
  Outcome transfer_all() {
    bool from_new = false;
    std::vector<std::string> left;  // written anew: what they were written from goes when the new ones are safe
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const std::string source = source_path(sources_[i]);
      const SourceIs is =
          TRY(transfer_file(context_, kind_, source, sources_[i].origin, to_.folder, messages_[i].file.name));
      ++transferred_;
      if (is == SourceIs::there) left.push_back(source);
      from_new = from_new || sources_[i].place == Place::fresh;
    }
    TRY(to_.folder.sync(Place::cur));
    if (kind_ == TransferKind::copy) return {};
    for (const std::string& source : left) TRY(context_.files().unlink(source));
    if (!within_one() || !left.empty()) TRY(from_.folder.sync(Place::cur));
    if (from_new) TRY(from_.folder.sync(Place::fresh));
    return {};
  }

  Outcome write_index(MailboxRow& from_row) {
    IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
    TRY(stage_.write(context_));
    for (const NewMessage& message : messages_) TRY(put_rows(context_, to_, to_row_, message));
    TRY(copy_cache(*context_.index, from_.row.key, source_uids(), to_.row.key, messages_.front().state.uid));
    if (kind_ == TransferKind::move) {
      MailboxRow& row = within_one() ? to_row_ : from_row;
      if (!within_one()) row.highest_modseq = ModSeq(row.highest_modseq.value() + 1);
      TRY(take_out(context_, from_, row, source_uids(), FilesAre::gone));
      if (!within_one()) TRY(save_mailbox_row(*context_.index, row));
    }
    TRY(save_mailbox_row(*context_.index, to_row_));
    commit_tried_ = true;
    return change.commit();
  }

  UidSet source_uids() const {
    UidSet uids;
    for (const FileRow& source : sources_) uids.add(source.uid);
    return uids;
  }

  CopyResult finish(MailboxRow from_row) {
    stage_.install();
    CopyResult result;
    result.uid_validity = to_row_.uid_validity;
    result.source = source_uids();
    std::vector<MessageState> states;
    states.reserve(messages_.size());
    for (const NewMessage& message : messages_) {
      result.target.add(message.state.uid);
      states.push_back(message.state);
    }
    const UidSet removed = kind_ == TransferKind::move ? result.source : UidSet();
    if (kind_ == TransferKind::move && !within_one()) advance(from_, std::move(from_row), {}, removed);
    advance(to_, to_row_, states, within_one() ? removed : UidSet());
    return result;
  }

  // A commit that failed may be found done after a restart. For a copy that is rows without files, which the next
  // listing drops. Moved messages would not get their UIDs back, so they stay moved: their files are all in place and
  // synced, and the index learns of them by listing the folders. Only if that fails too the answer is NO.
  Result<CopyResult> settle_by_listing(const Error& first, std::optional<OpenIntent>& intent) {
    distrust(to_, messages_.front().state.uid);
    if (!within_one()) distrust(from_, from_.row.uid_next);
    CopyResult result;
    result.uid_validity = to_row_.uid_validity;
    result.source = source_uids();
    for (const NewMessage& message : messages_) result.target.add(message.state.uid);
    if (!reconcile(context_, from_) || (!within_one() && !reconcile(context_, to_))) {
      return tl::unexpected<Error>(first);
    }
    if (intent) intent->finish(maildir::Durable::later);
    if (to_.version->existing(result.target) != result.target) return tl::unexpected<Error>(first);
    return result;
  }

  // The first error is the one to tell. What cannot be undone is found by the next listing, or by recovery.
  void undo(std::optional<OpenIntent>& intent) {
    bool undone = true;
    for (std::size_t i = 0; i < transferred_; ++i) {
      const std::string target = to_.folder.file_path(Place::cur, messages_[i].file.name);
      Outcome back = kind_ == TransferKind::copy ? context_.files().unlink(target)
                                                 : context_.files().rename_new(target, source_path(sources_[i]));
      // Written anew, and the source is still there.
      if (!back && back.error().kind == ErrorKind::already_exists) back = context_.files().unlink(target);
      undone = undone && back;
    }
    // In the order of the renames, first there, then back.
    undone = to_.folder.sync(Place::cur).has_value() && undone;
    undone = from_.folder.sync(Place::cur).has_value() && undone;
    undone = from_.folder.sync(Place::fresh).has_value() && undone;
    if (intent && undone) intent->finish(maildir::Durable::now);
    if (!undone) distrust(to_, messages_.front().state.uid);
    if (!undone) distrust(from_, from_.row.uid_next);
    to_.row.cur_modified = 0;
    from_.row.cur_modified = 0;
  }

  AccountContext& context_;
  TransferKind kind_;
  MailboxState& from_;
  MailboxState& to_;
  FlagStage stage_;
  MailboxRow to_row_;
  std::vector<FileRow> sources_;
  std::vector<NewMessage> messages_;
  std::size_t transferred_ = 0;
  bool commit_tried_ = false;
};

// Foreign messages need their served size before they get a name of ours.
Outcome compute_served_sizes(AccountContext& context, MailboxState& box, std::vector<FileRow>& files) {
  std::optional<IndexChange> change;
  MailboxRow row = box.row;
  for (FileRow& file : files) {
    if (file.served != served_unknown) continue;
    if (!change) change.emplace(TRY(IndexChange::begin(context, Commit::lazy)));
    TRY(cached_facts(context, box, file, row));
  }
  if (!change) return {};
  TRY(save_mailbox_row(*context.index, row));
  TRY(change->commit());
  box.row = row;
  return {};
}

}  // namespace

Result<SourceIs> transfer_file(AccountContext& context, TransferKind kind, const std::string& source, Origin origin,
                               maildir::MessageFolder& to, const std::string& name) {
  FileSystem& files = context.files();
  const std::string target = to.file_path(Place::cur, name);
  if (origin == Origin::foreign) {
    const FileInfo info = TRY(files.info(source));
    const std::unique_ptr<BodyReader> reader = TRY(BodyReader::open(files, source, LineEnds::to_crlf));
    if (reader->size() != info.size) {
      const std::string staged = to.path() + "/tmp/" + name;
      Outcome written = write_converted(files, *reader, info.modified, staged);
      if (written) written = files.rename_new(staged, target);
      if (!written) {
        (void)files.unlink(staged);
        return tl::unexpected<Error>(written.error());
      }
      return SourceIs::there;
    }
  }
  if (kind == TransferKind::copy) {
    TRY(to.put(source, name));
    return SourceIs::there;
  }
  TRY(files.rename_new(source, target));
  return SourceIs::gone;
}

Result<CopyResult> transfer_messages(AccountContext& context, TransferKind kind, MailboxState& from, const UidSet& uids,
                                     MailboxState& to) {
  const UidSet existing = from.version->existing(uids);
  CopyResult none;
  none.uid_validity = to.row.uid_validity;
  if (existing.empty()) return none;
  std::vector<FileRow> sources = TRY(load_files(*context.index, from.row.key, existing));
  if (sources.size() != existing.size()) {
    return failure(ErrorKind::corruption, "A mail index is damaged", "messages without files");
  }
  TRY(compute_served_sizes(context, from, sources));
  Flags all;
  from.version->for_each_in(existing, [&](SeqNum, const MessageState& state) {
    for (const std::string& keyword : from.version->flags_of(state).keywords()) all.add_keyword(keyword);
  });
  TRY(define_keywords(context, to, all));
  TRY(reserve(context, to, sources.size()));
  if (kind == TransferKind::move) TRY(reserve(context, from, 0));
  return Transfer(context, kind, from, to).run(std::move(sources));
}

}  // namespace postkeep::storage
