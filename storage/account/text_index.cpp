#include "storage/account/text_index.h"

#include <random>
#include <utility>
#include <vector>

#include "storage/account/message_cache.h"
#include "storage/search_index/message_text.h"

namespace postkeep::storage {
namespace {

constexpr std::int64_t texts_per_slice = 64;
constexpr std::int64_t text_slice_us = 5000;
constexpr std::int64_t filled_per_slice = 2000;

std::int64_t new_identity() {
  std::random_device random;
  const std::uint64_t high = random();
  return static_cast<std::int64_t>((high << 32U | random()) | 1U);  // never 0
}

}  // namespace

std::string TextIndex::path() const { return context_.path + "/search.sqlite"; }

void TextIndex::reset() {
  index_.reset();
  filling_.reset();
  to_pack_.reset();
  wanted_ = false;
  context_.tracks_text = context_.facts.search_identity != 0;
}

// --- Searching ---

TextIndex::Narrowed TextIndex::narrow(const MailboxState& box, UidSet candidates, const SearchEvaluator& evaluator) {
  Narrowed narrowed;
  narrowed.candidates = std::move(candidates);
  if (!is_on() || !evaluator.wants_text() || narrowed.candidates.empty()) return narrowed;
  if (context_.facts.search_identity == 0) {
    wanted_ = true;
    return narrowed;
  }
  const Uid first = narrowed.candidates.min();
  const Uid last = narrowed.candidates.max();
  const auto run = [&]() -> Outcome {
    SearchIndex* index = TRY(opened());
    const UidSet doubtful = TRY(work_of_mailbox(*context_.index, Work::text, box.row.key, first, last));
    const UidSet believed = narrowed.candidates.subtract(doubtful);
    bool asked = false;
    const auto may_contain = [&](std::string_view needle) -> Result<UidSet> {
      asked = true;
      const SearchIndex::Narrowed found = TRY(index->narrow(box.row.key, first, last, needle));
      narrowed.stored = found.known.intersect(believed);
      return narrowed.candidates.subtract(narrowed.stored.subtract(found.maybe));
    };
    narrowed.candidates = TRY(evaluator.narrow(narrowed.candidates, may_contain));
    if (!asked) TRY(may_contain(""));  // nothing narrows, but all may be checked
    return {};
  };
  Narrowed all;
  all.candidates = narrowed.candidates;
  if (const Outcome done = run(); !done) {
    give_up(done.error());
    return all;
  }
  return narrowed;
}

std::optional<StoredText> TextIndex::text(const MailboxState& box, Uid uid) {
  if (!index_) return std::nullopt;
  Result<std::optional<StoredText>> found = index_->text(MessageKey{box.row.key, uid});
  if (found) return std::move(*found);
  give_up(found.error());
  return std::nullopt;
}

Result<SearchIndex*> TextIndex::opened() {
  if (!index_) index_ = TRY(SearchIndex::open(context_.files(), path(), context_.facts.search_identity));
  return index_.get();
}

void TextIndex::give_up(const Error& error) {
  to_pack_.reset();
  index_.reset();
  // What is damaged is made anew, once. Anything else may be over the next time that the account is opened.
  failed_ = error.kind != ErrorKind::corruption || made_anew_ || !forget();
  made_anew_ = wanted_ = !failed_;
}

// --- In the background ---

Outcome TextIndex::forget() {
  index_.reset();
  filling_.reset();
  to_pack_.reset();
  context_.tracks_text = false;
  if (context_.facts.search_identity != 0) {
    IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
    TRY(save_search_identity(*context_.index, 0));
    TRY(change.commit());
    context_.facts.search_identity = 0;
  }
  return remove_file();
}

Result<bool> TextIndex::has_work() {
  const bool exists = context_.facts.search_identity != 0;
  if (!context_.store.options.search_index) return exists;
  if (failed_) return false;
  if (filling_ || wanted_ || to_pack_) return true;
  return exists ? storage::has_work(*context_.index, Work::text) : Result<bool>(false);
}

Result<Slice> TextIndex::slice() {
  if (!context_.store.options.search_index) {
    if (context_.facts.search_identity != 0) TRY(forget());
    return Slice::nothing_left;
  }
  if (failed_) return Slice::nothing_left;
  if (context_.facts.search_identity == 0 && !filling_) {
    if (!wanted_) return Slice::nothing_left;
    if (const Outcome begun = begin_filling(); !begun) {
      give_up(begun.error());
      return Slice::nothing_left;
    }
  }
  return filling_ ? fill() : index_some();
}

Outcome TextIndex::begin_filling() {
  identity_ = new_identity();
  index_ = TRY(SearchIndex::create(context_.files(), path(), identity_));
  filling_ = MessageKey{INT32_MAX, Uid(0)};
  context_.tracks_text = true;
  return {};
}

// Once the list has all messages, search.sqlite may be believed in what it has and the list has not.
Result<Slice> TextIndex::fill() {
  IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
  const std::optional<MessageKey> next = TRY(add_text_work_below(*context_.index, *filling_, filled_per_slice));
  if (!next) TRY(save_search_identity(*context_.index, identity_));
  TRY(change.commit());
  filling_ = next;
  if (!next) {
    context_.facts.search_identity = identity_;
    wanted_ = false;
  }
  return Slice::more;
}

Result<Slice> TextIndex::index_some() {
  const std::int64_t end_us = context_.now_us() + text_slice_us;
  const std::vector<MessageKey> next = TRY(next_work(*context_.index, Work::text, texts_per_slice));
  if (next.empty() && !to_pack_) return Slice::nothing_left;
  std::vector<MessageKey> done;
  const auto run = [&]() -> Outcome {
    SearchIndex* index = TRY(opened());
    Transaction transaction = TRY(index->begin());
    // What the slice before brought may make a block, which is a slice's work by itself.
    bool packed = false;
    if (to_pack_) packed = TRY(index->pack_if_due(*std::exchange(to_pack_, std::nullopt)));
    for (std::size_t i = 0; i < next.size() && !packed && next[i].key == next.front().key; ++i) {
      TRY(take(*index, next[i]));
      done.push_back(next[i]);
      if (context_.now_us() >= end_us) break;
    }
    if (!done.empty()) to_pack_ = done.front().key;
    return transaction.commit();
  };
  if (const Outcome indexed = run(); !indexed) {
    give_up(indexed.error());
    return Slice::nothing_left;
  }
  if (done.empty()) return Slice::more;
  IndexChange change = TRY(IndexChange::begin(context_, Commit::lazy));
  for (const MessageKey& message : done) TRY(remove_work(*context_.index, Work::text, message.key, message.uid));
  TRY(change.commit());
  return Slice::more;
}

// Takes a message in or, if it is gone, out. One that cannot be read now is left out: searches open its file.
Outcome TextIndex::take(SearchIndex& index, const MessageKey& message) {
  MailboxState* box = mailboxes_.find_key(message.key);
  const bool there = box != nullptr && TRY(has_message(*context_.index, message.key, message.uid));
  std::optional<FileRow> file;
  if (there) file = TRY(find_file(*context_.index, message.key, message.uid));
  if (!file) return index.remove(message);
  const Result<std::unique_ptr<MessageReader>> reader = open_as_named(context_, *box, *file);
  if (!reader) return index.remove(message);
  const Result<IndexedText> text = read_text(**reader);
  if (!text) return index.remove(message);
  return index.put(message, *text);
}

}  // namespace postkeep::storage
