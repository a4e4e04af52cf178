// MaildirAccount's reading side: rows for FETCH, answers to SEARCH.
#include <algorithm>
#include <functional>
#include <optional>

#include "storage/account/maildir_account.h"
#include "storage/account/message_cache.h"
#include "storage/account/message_files.h"
#include "storage/index/listing_sql.h"
#include "storage/search_eval.h"

namespace postkeep::storage {
namespace {

bool wants_cache(const FetchWants& wants, const FileRow& file) {
  return wants.object_ids || wants.envelope || wants.body_structure || wants.headers ||
         (wants.size && file.served == served_unknown);
}

// The messages of a search, one after another. What the version, the columns and the row tell costs no file.
class Subject final : public SearchSubject {
 public:
  using Row = std::function<Result<MessageRow>(Uid)>;
  using Open = std::function<Result<std::unique_ptr<MessageReader>>(Uid)>;
  using Text = std::function<std::optional<StoredText>(Uid)>;
  Subject(const std::vector<ColumnPieces>& columns, const Row& row, const Open& open, const Text& text)
      : columns_(columns.begin(), columns.end()), get_row_(row), open_(open), text_(text) {}

  void move_to(const MessageState& state, const Flags& flags) {
    state_ = state;
    flags_ = &flags;
  }
  Uid uid() override { return state_.uid; }
  ModSeq modseq() override { return state_.modseq; }
  const Flags& flags() override { return *flags_; }
  Result<const MessageRow*> row() override {
    row_ = TRY(get_row_(state_.uid));
    return &row_;
  }
  std::optional<StoredText> stored_text() override { return text_(state_.uid); }
  Result<std::unique_ptr<MessageReader>> open() override { return open_(state_.uid); }
  std::optional<std::int64_t> number(std::size_t column) override {
    if (!columns_[column].find(state_.uid)) return std::nullopt;
    return columns_[column].number();
  }
  std::optional<std::string_view> text(std::size_t column) override {
    if (!columns_[column].find(state_.uid)) return std::nullopt;
    return columns_[column].text();
  }

 private:
  std::vector<ColumnCursor> columns_;
  MessageState state_;
  const Flags* flags_ = nullptr;
  const Row& get_row_;
  const Open& open_;
  const Text& text_;
  MessageRow row_;
};

// Opens messages of a search in ascending order. The index is asked where some of them lie at once, for as many as
// were opened of those before: none is asked about in vain more often than it is worth.
class OpenInOrder {
 public:
  OpenInOrder(AccountContext& context, MailboxState& box, const UidSet& candidates)
      : context_(context), box_(box), candidates_(candidates) {}

  Result<std::unique_ptr<MessageReader>> open(Uid uid) {
    if (uid > last_) TRY(look_up(uid));
    ++opened_;
    if (files_) {
      Result<std::unique_ptr<MessageReader>> reader = files_->open(uid);
      if (reader || reader.error().kind != ErrorKind::not_found) return reader;
    }
    return open_file(context_, box_, uid);
  }

 private:
  static constexpr std::uint64_t looked_up_max = 256;

  Outcome look_up(Uid uid) {
    const UidSet left = candidates_.intersect(UidSet::of_range(uid, candidates_.max()));
    const UidSet next = first_of(left, std::clamp<std::uint64_t>(opened_ * 2, 1, looked_up_max));
    files_ = TRY(files_of_messages(context_, box_, next));
    last_ = next.max();
    opened_ = 0;
    return {};
  }

  AccountContext& context_;
  MailboxState& box_;
  const UidSet& candidates_;
  std::unique_ptr<MessageFiles> files_;
  Uid last_;  // that files_ knows of
  std::uint64_t opened_ = 0;
};

}  // namespace

Result<MessageRow> MaildirAccount::fetch_one(MailboxState& box, FileRow& file, const FetchWants& wants,
                                             std::optional<IndexChange>& change, MailboxRow& row) {
  MessageRow out;
  out.uid = file.uid;
  if (wants_cache(wants, file)) {
    std::optional<CacheRow> cache = TRY(find_cache(*context_.index, box.row.key, file.uid));
    if (!cache) {
      if (!change) change.emplace(TRY(IndexChange::begin(context_, Commit::lazy)));
      cache = TRY(cached_facts(context_, box, file, row));
    }
    if (wants.object_ids) {
      out.email_id = cache->email_id;
      out.thread_id = cache->thread_id;
    }
    if (wants.envelope) out.envelope = std::move(cache->envelope);
    if (wants.body_structure) out.body_structure = std::move(cache->body_structure);
    if (wants.headers) out.cached_headers = std::move(cache->headers);
  }
  if (wants.dates) {
    out.internal_date = file.internal_date;
    out.save_date = file.save_date;
  }
  if (wants.line_end) out.ends_in_crlf = TRY(ends_in_crlf(context_, box, file));
  if (wants.size) out.size = static_cast<std::uint64_t>(file.served);
  return out;
}

// The rows that can be read now; `missing` gets those whose file is not under its name any more.
Result<std::vector<MessageRow>> MaildirAccount::fetch_present(MailboxState& box, const UidSet& uids,
                                                              const FetchWants& wants, UidSet& missing) {
  std::vector<MessageRow> rows;
  std::optional<IndexChange> change;
  MailboxRow row = box.row;
  for (FileRow& file : TRY(load_files(*context_.index, box.row.key, box.version->existing(uids)))) {
    Result<MessageRow> found = fetch_one(box, file, wants, change, row);
    if (!found && found.error().kind == ErrorKind::not_found) {
      missing.add(file.uid);
      continue;
    }
    rows.push_back(TRY(std::move(found)));
  }
  if (!change) return rows;
  TRY(save_mailbox_row(*context_.index, row));
  TRY(change->commit());
  box.row = row;
  return rows;
}

Result<std::vector<MessageRow>> MaildirAccount::fetch(MailboxId mailbox, const UidSet& uids, const FetchWants& wants) {
  std::vector<MessageRow> rows;
  TRY(visit_rows(mailbox, uids, wants, [&rows](MessageRow& row) {
    rows.push_back(std::move(row));
    return true;
  }));
  return rows;
}

// One pass over the index for as long as it knows everything, which nearly always is to the end.
Outcome MaildirAccount::visit_rows(MailboxId mailbox, const UidSet& uids, const FetchWants& wants,
                                   const RowVisitor& visit) {
  MailboxState* box = TRY(ready(mailbox));
  const UidSet present = box->version->existing(uids);
  const UidSet left = TRY(watched(visit_listed(*context_.index, box->row.key, present, wants, visit)));
  if (left.empty()) return {};
  for (MessageRow& row : TRY(fetch_with_files(*box, left, wants))) {
    if (!visit(row)) break;
  }
  return {};
}

Result<std::vector<MessageRow>> MaildirAccount::fetch_with_files(MailboxState& box, const UidSet& uids,
                                                                 const FetchWants& wants) {
  UidSet missing;
  std::vector<MessageRow> rows = TRY(watched(fetch_present(box, uids, wants, missing)));
  if (missing.empty()) return rows;
  // Another program renamed or removed files under us. What has a new name is found now.
  if (TRY(watched(reconcile(context_, box))) == Found::changes) changed();
  UidSet gone;
  for (MessageRow& row : TRY(watched(fetch_present(box, missing, wants, gone)))) rows.push_back(std::move(row));
  std::sort(rows.begin(), rows.end(), [](const MessageRow& a, const MessageRow& b) { return a.uid < b.uid; });
  return rows;
}

Result<std::unique_ptr<MessageFiles>> MaildirAccount::find_files(MailboxId mailbox, const UidSet& uids) {
  MailboxState* box = TRY(ready(mailbox));
  return watched(files_of_messages(context_, *box, uids));
}

Result<UidSet> MaildirAccount::search(MailboxId mailbox, const SearchKey& key, const UidSet& candidates) {
  UidSet found = candidates;
  for (const SearchKey& stage : search_stages(key)) found = TRY(search_stage(mailbox, stage, found));
  return found;
}

Result<UidSet> MaildirAccount::search_stage(MailboxId mailbox, const SearchKey& key, const UidSet& candidates) {
  MailboxState* box = TRY(ready(mailbox));
  const SearchEvaluator evaluator(key, context_.now());
  Result<std::vector<ColumnPieces>> columns = columns_of(*box, box->version->existing(candidates), evaluator.columns());
  if (!columns) {
    // What is really needed is asked for message by message, and fails where it must.
    columns = std::vector<ColumnPieces>(evaluator.columns().size());
    box = TRY(ready(mailbox));
  }
  const MailboxVersionPtr version = box->version;
  const Subject::Row get_row = [&](Uid uid) -> Result<MessageRow> {
    UidSet one;
    one.add(uid);
    std::vector<MessageRow> rows = TRY(fetch(mailbox, one, evaluator.wants()));
    if (rows.empty()) return failure(ErrorKind::expunge_issued, "The message is gone");
    return std::move(rows.front());
  };
  const bool was_wanted = texts_.is_newly_wanted();
  const TextIndex::Narrowed narrowed = texts_.narrow(*box, version->existing(candidates), evaluator);
  if (!was_wanted && texts_.is_newly_wanted()) changed();  // so that background_step() is called
  const Subject::Text text = [&](Uid uid) {
    return narrowed.stored.contains(uid) ? texts_.text(*box, uid) : std::nullopt;
  };
  OpenInOrder files(context_, *box, narrowed.candidates);
  const Subject::Open open = [&](Uid uid) { return files.open(uid); };
  Subject subject(*columns, get_row, open, text);
  UidSet found;
  std::optional<Error> problem;
  version->for_each_in(narrowed.candidates, [&](SeqNum, const MessageState& state) {
    if (problem) return;
    subject.move_to(state, version->flags_of(state));
    const Result<bool> matches = evaluator.matches(subject);
    if (matches && *matches) found.add(state.uid);
    // Gone since the version was made: it matches nothing any more.
    if (!matches && matches.error().kind != ErrorKind::expunge_issued) problem = matches.error();
  });
  if (problem) return tl::unexpected<Error>(*problem);
  return found;
}

}  // namespace postkeep::storage
