// The persistent sequence behind MailboxVersion: packing messages into chunks, changing a few of them,
// and the difference between two versions. Pure: no disk, no clock.
#include "storage/mailbox_version.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "protocol/base/ensure.h"

namespace postkeep::storage {

namespace {

int bit_number(SystemFlag flag) { return std::countr_zero(static_cast<unsigned>(flag)); }

bool uid_before(const MessageState& a, const MessageState& b) { return a.uid < b.uid; }

template <class Vector>
std::size_t bytes_of(const Vector& vector) {
  return vector.capacity() * sizeof(typename Vector::value_type);
}

}  // namespace

// --- MessageChunk ------------------------------------------------------------------------------------

MessageChunk::MessageChunk(std::span<const MessageState> messages, const FlagTable& flag_table)
    : size_(static_cast<std::uint32_t>(messages.size())) {
  ENSURE(!messages.empty(), "a chunk has messages");
  uniform_flags_ = messages.front().flags;
  base_modseq_ = highest_modseq_ = messages.front().modseq;
  bool same_flags = true;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const MessageState& message = messages[i];
    if (ranges_.empty() || message.uid.value() != ranges_.back().last.value() + 1) {
      ENSURE(ranges_.empty() || message.uid > ranges_.back().last, "UIDs of a mailbox ascend");
      ranges_.push_back({message.uid, message.uid});
      range_starts_.push_back(static_cast<std::uint32_t>(i));
    } else {
      ranges_.back().last = message.uid;
    }
    base_modseq_ = std::min(base_modseq_, message.modseq);
    highest_modseq_ = std::max(highest_modseq_, message.modseq);
    same_flags = same_flags && message.flags == uniform_flags_;
  }
  count_flags(messages, flag_table);
  ranges_.shrink_to_fit();
  range_starts_.shrink_to_fit();
  if (!same_flags) {
    flags_.reserve(messages.size());
    for (const MessageState& message : messages) flags_.push_back(message.flags);
  }
  const std::uint64_t spread = highest_modseq_.value() - base_modseq_.value();
  if (spread > std::numeric_limits<std::uint32_t>::max()) {
    wide_modseqs_.reserve(messages.size());
    for (const MessageState& message : messages) wide_modseqs_.push_back(message.modseq.value());
  } else if (spread > 0) {
    modseq_offsets_.reserve(messages.size());
    for (const MessageState& message : messages) {
      modseq_offsets_.push_back(static_cast<std::uint32_t>(message.modseq.value() - base_modseq_.value()));
    }
  }
}

// Neighbours mostly have the same flags.
void MessageChunk::count_flags(std::span<const MessageState> messages, const FlagTable& flag_table) {
  for (std::size_t first = 0; first < messages.size();) {
    std::size_t last = first + 1;
    while (last < messages.size() && messages[last].flags == messages[first].flags) ++last;
    const unsigned bits = flag_table.flags(messages[first].flags).system_bits();
    for (std::size_t bit = 0; bit < flag_counts_.size(); ++bit) {
      if (((bits >> bit) & 1U) != 0) flag_counts_[bit] += static_cast<std::uint32_t>(last - first);
    }
    first = last;
  }
}

std::size_t MessageChunk::size() const { return size_; }
Uid MessageChunk::first_uid() const { return ranges_.front().first; }
Uid MessageChunk::last_uid() const { return ranges_.back().last; }
ModSeq MessageChunk::highest_modseq() const { return highest_modseq_; }

MessageState MessageChunk::at(std::size_t index) const {
  const auto after = std::upper_bound(range_starts_.begin(), range_starts_.end(), static_cast<std::uint32_t>(index));
  const auto range = static_cast<std::size_t>(after - range_starts_.begin()) - 1;
  MessageState message;
  message.uid = Uid(ranges_[range].first.value() + static_cast<std::uint32_t>(index - range_starts_[range]));
  message.flags = flags_.empty() ? uniform_flags_ : flags_[index];
  if (!wide_modseqs_.empty()) {
    message.modseq = ModSeq(wide_modseqs_[index]);
  } else if (!modseq_offsets_.empty()) {
    message.modseq = ModSeq(base_modseq_.value() + modseq_offsets_[index]);
  } else {
    message.modseq = base_modseq_;
  }
  return message;
}

std::size_t MessageChunk::lower_bound(Uid uid) const {
  const auto range = std::lower_bound(ranges_.begin(), ranges_.end(), uid,
                                      [](const UidSet::Range& r, Uid wanted) { return r.last < wanted; });
  if (range == ranges_.end()) return size_;
  const std::size_t start = range_starts_[static_cast<std::size_t>(range - ranges_.begin())];
  return uid <= range->first ? start : start + (uid.value() - range->first.value());
}

std::optional<std::size_t> MessageChunk::find(Uid uid) const {
  const std::size_t index = lower_bound(uid);
  if (index == size_ || at(index).uid != uid) return std::nullopt;
  return index;
}

std::uint32_t MessageChunk::count_with(SystemFlag flag) const {
  return flag_counts_[static_cast<std::size_t>(bit_number(flag))];
}

void MessageChunk::append_to(std::vector<MessageState>& out) const {
  out.reserve(out.size() + size_);
  for (std::size_t i = 0; i < size_; ++i) out.push_back(at(i));
}

void MessageChunk::add_uids_between(std::size_t first, std::size_t last, UidSet& out) const {
  const Uid low = at(first).uid;
  const Uid high = at(last).uid;
  auto range = std::lower_bound(ranges_.begin(), ranges_.end(), low,
                                [](const UidSet::Range& r, Uid wanted) { return r.last < wanted; });
  for (; range != ranges_.end() && range->first <= high; ++range) {
    out.add_range(std::max(range->first, low), std::min(range->last, high));
  }
}

std::size_t MessageChunk::memory_bytes() const {
  return sizeof *this + bytes_of(ranges_) + bytes_of(range_starts_) + bytes_of(flags_) + bytes_of(modseq_offsets_) +
         bytes_of(wide_modseqs_);
}

// --- MailboxVersion: making ---------------------------------------------------------------------------

namespace {

using ChunkPtr = MailboxVersion::ChunkPtr;

// Takes what a new version consists of, in order, and keeps chunk sizes within their bounds.
class SpineBuilder {
 public:
  explicit SpineBuilder(const FlagTable& flag_table) : flag_table_(flag_table) {}

  // An unchanged chunk. It is given up only if a small rest of a changed neighbour must be joined to it.
  void share(const ChunkPtr& chunk) {
    if (!pending_.empty() && pending_.size() < too_small) {
      chunk->append_to(pending_);
      return;
    }
    flush();
    chunks_.push_back(chunk);
  }

  void add(const MessageState& message) { pending_.push_back(message); }

  // The messages of a changed chunk are complete.
  void end_of_chunk() {
    if (pending_.size() >= too_small) flush();
  }

  PooledVector<ChunkPtr> take() {
    if (!pending_.empty() && pending_.size() < too_small && !chunks_.empty()) {
      std::vector<MessageState> joined;
      chunks_.back()->append_to(joined);
      chunks_.pop_back();
      joined.insert(joined.end(), pending_.begin(), pending_.end());
      pending_ = std::move(joined);
    }
    flush();
    return std::move(chunks_);
  }

 private:
  static constexpr std::size_t too_small = MessageChunk::target_size / 4;

  // Cuts what is pending into equal pieces, none above twice the target.
  void flush() {
    if (pending_.empty()) return;
    const std::size_t total = pending_.size();
    const std::size_t pieces = total <= 2 * MessageChunk::target_size ? 1 : total / MessageChunk::target_size;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      const std::size_t first = total * piece / pieces;
      const std::size_t last = total * (piece + 1) / pieces;
      chunks_.push_back(make_pooled<MessageChunk>(std::span(pending_).subspan(first, last - first), flag_table_));
    }
    pending_.clear();
  }

  const FlagTable& flag_table_;
  PooledVector<ChunkPtr> chunks_;
  std::vector<MessageState> pending_;
};

// Does the set have a UID within [first, last]?
bool touches(const UidSet& uids, Uid first, Uid last) {
  const auto& ranges = uids.ranges();
  const auto range = std::lower_bound(ranges.begin(), ranges.end(), first,
                                      [](const UidSet::Range& r, Uid wanted) { return r.last < wanted; });
  return range != ranges.end() && range->first <= last;
}

using StateIterator = std::vector<MessageState>::const_iterator;

// One chunk without `removed`, merged with the changes [next, end), into the builder.
void merge_chunk(const MessageChunk& chunk, const UidSet& removed, StateIterator next, StateIterator end,
                 SpineBuilder& builder) {
  std::vector<MessageState> before;
  chunk.append_to(before);
  for (const MessageState& message : before) {
    while (next != end && next->uid < message.uid) builder.add(*next++);
    if (next != end && next->uid == message.uid) {
      builder.add(*next++);
    } else if (!removed.contains(message.uid)) {
      builder.add(message);
    }
  }
  while (next != end) builder.add(*next++);
  builder.end_of_chunk();
}

}  // namespace

MailboxVersion::MailboxVersion(Facts facts, std::shared_ptr<const FlagTable> flag_table, PooledVector<ChunkPtr> chunks)
    : facts_(std::move(facts)), flag_table_(std::move(flag_table)), chunks_(std::move(chunks)) {
  starts_.reserve(chunks_.size());
  for (const ChunkPtr& chunk : chunks_) {
    starts_.push_back(count_);
    count_ += static_cast<std::uint32_t>(chunk->size());
    seen_ += chunk->count_with(SystemFlag::seen);
    deleted_ += chunk->count_with(SystemFlag::deleted);
  }
}

MailboxVersionPtr MailboxVersion::build(Facts facts, std::shared_ptr<const FlagTable> flag_table,
                                        const std::vector<MessageState>& messages) {
  VersionBuilder builder(std::move(flag_table));
  for (const MessageState& message : messages) builder.add(message);
  return builder.finish(std::move(facts));
}

// Filled chunks, not the half-full ones that SpineBuilder would leave: most mailboxes are built once and then change at
// the end only.
VersionBuilder::VersionBuilder(std::shared_ptr<const FlagTable> flag_table) : flag_table_(std::move(flag_table)) {
  pending_.reserve(MessageChunk::target_size);
}

void VersionBuilder::flush() {
  ENSURE(chunks_.empty() || chunks_.back()->last_uid() < pending_.front().uid, "UIDs of a mailbox ascend");
  chunks_.push_back(make_pooled<MessageChunk>(pending_, *flag_table_));
  pending_.clear();
}

MailboxVersionPtr VersionBuilder::finish(MailboxVersion::Facts facts) {
  if (!pending_.empty()) flush();
  chunks_.shrink_to_fit();
  return make_pooled<MailboxVersion>(std::move(facts), std::move(flag_table_), std::move(chunks_));
}

MailboxVersionPtr MailboxVersion::with_changes(Facts facts, std::shared_ptr<const FlagTable> flag_table,
                                               const std::vector<MessageState>& changed_or_added,
                                               const UidSet& removed) const {
  std::vector<MessageState> sorted;
  const bool in_order = std::is_sorted(changed_or_added.begin(), changed_or_added.end(), uid_before);
  if (!in_order) {
    sorted = changed_or_added;
    std::sort(sorted.begin(), sorted.end(), uid_before);
  }
  const std::vector<MessageState>& changes = in_order ? changed_or_added : sorted;

  SpineBuilder builder(*flag_table);
  auto next = changes.begin();
  for (std::size_t c = 0; c < chunks_.size(); ++c) {
    const MessageChunk& chunk = *chunks_[c];
    // What lies between two chunks belongs to the second, what lies behind the last to the last.
    const bool last_chunk = c + 1 == chunks_.size();
    auto end = next;
    while (end != changes.end() && (last_chunk || end->uid <= chunk.last_uid())) ++end;
    if (next == end && !touches(removed, chunk.first_uid(), chunk.last_uid())) {
      builder.share(chunks_[c]);
    } else {
      merge_chunk(chunk, removed, next, end, builder);
    }
    next = end;
  }
  for (; next != changes.end(); ++next) builder.add(*next);  // only where there was no chunk at all
  return make_pooled<MailboxVersion>(std::move(facts), std::move(flag_table), builder.take());
}

// --- MailboxVersion: reading --------------------------------------------------------------------------

std::size_t MailboxVersion::chunk_of_seq(std::uint32_t index) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), index);
  return static_cast<std::size_t>(after - starts_.begin()) - 1;
}

std::size_t MailboxVersion::chunk_of_uid(Uid uid) const {
  const auto chunk = std::lower_bound(chunks_.begin(), chunks_.end(), uid,
                                      [](const ChunkPtr& c, Uid wanted) { return c->last_uid() < wanted; });
  return static_cast<std::size_t>(chunk - chunks_.begin());
}

MessageState MailboxVersion::at(SeqNum seq) const {
  ENSURE(seq.value() >= 1 && seq.value() <= count_, "a message number is within the mailbox");
  const std::uint32_t index = seq.value() - 1;
  const std::size_t c = chunk_of_seq(index);
  return chunks_[c]->at(index - starts_[c]);
}

std::uint32_t MailboxVersion::count_below(Uid uid) const {
  const std::size_t c = chunk_of_uid(uid);
  if (c == chunks_.size()) return count_;
  return starts_[c] + static_cast<std::uint32_t>(chunks_[c]->lower_bound(uid));
}

std::optional<SeqNum> MailboxVersion::seq_of(Uid uid) const {
  const std::size_t c = chunk_of_uid(uid);
  if (c == chunks_.size()) return std::nullopt;
  const auto index = chunks_[c]->find(uid);
  if (!index) return std::nullopt;
  return SeqNum(starts_[c] + static_cast<std::uint32_t>(*index) + 1);
}

std::optional<MessageState> MailboxVersion::find(Uid uid) const {
  const auto seq = seq_of(uid);
  if (!seq) return std::nullopt;
  return at(*seq);
}

std::optional<SeqNum> MailboxVersion::first_unseen() const {
  for (std::size_t c = 0; c < chunks_.size(); ++c) {
    const MessageChunk& chunk = *chunks_[c];
    if (chunk.count_with(SystemFlag::seen) == chunk.size()) continue;
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      if (!flags_of(chunk.at(i)).has(SystemFlag::seen)) {
        return SeqNum(starts_[c] + static_cast<std::uint32_t>(i) + 1);
      }
    }
  }
  return std::nullopt;
}

Uid MailboxVersion::last_uid() const { return chunks_.empty() ? Uid() : chunks_.back()->last_uid(); }

UidSet MailboxVersion::all_uids() const {
  UidSet result;
  for (const ChunkPtr& chunk : chunks_) chunk->add_uids_between(0, chunk->size() - 1, result);
  return result;
}

UidSet MailboxVersion::uids_of_seqs(const UidSet& seqs) const {
  UidSet result;
  for (const UidSet::Range& range : seqs.ranges()) {
    if (range.first.value() > count_) break;
    const std::uint32_t first = std::max(range.first.value(), 1U) - 1;
    const std::uint32_t last = std::min(range.last.value(), count_) - 1;
    for (std::size_t c = chunk_of_seq(first); c < chunks_.size() && starts_[c] <= last; ++c) {
      const std::size_t from = std::max(first, starts_[c]) - starts_[c];
      const std::size_t to = std::min<std::size_t>(last - starts_[c], chunks_[c]->size() - 1);
      chunks_[c]->add_uids_between(from, to, result);
    }
  }
  return result;
}

UidSet MailboxVersion::existing(const UidSet& uids) const {
  UidSet result;
  for (const UidSet::Range& range : uids.ranges()) {
    for (std::size_t c = chunk_of_uid(range.first); c < chunks_.size() && chunks_[c]->first_uid() <= range.last; ++c) {
      const MessageChunk& chunk = *chunks_[c];
      const std::size_t from = chunk.lower_bound(range.first);
      // The number of messages up to range.last; +1 would overflow for the largest UID of all.
      const std::size_t end =
          range.last >= chunk.last_uid() ? chunk.size() : chunk.lower_bound(Uid(range.last.value() + 1));
      if (from < end) chunk.add_uids_between(from, end - 1, result);
    }
  }
  return result;
}

UidSet MailboxVersion::uids_with(SystemFlag flag) const {
  UidSet result;
  for (const ChunkPtr& chunk : chunks_) {
    if (chunk->count_with(flag) == 0) continue;
    for (std::size_t i = 0; i < chunk->size(); ++i) {
      const MessageState message = chunk->at(i);
      if (flags_of(message).has(flag)) result.add(message.uid);
    }
  }
  return result;
}

UidSet MailboxVersion::changed_since(ModSeq since) const {
  UidSet uids;
  for (const ChunkPtr& chunk : chunks_) {
    if (chunk->highest_modseq() <= since) continue;
    for (std::size_t i = 0; i < chunk->size(); ++i) {
      const MessageState message = chunk->at(i);
      if (message.modseq > since) uids.add(message.uid);
    }
  }
  return uids;
}

std::size_t MailboxVersion::memory_bytes() const {
  std::size_t bytes = sizeof *this + bytes_of(chunks_) + bytes_of(starts_);
  for (const std::string& keyword : facts_.keywords) bytes += sizeof(std::string) + keyword.capacity();
  for (const ChunkPtr& chunk : chunks_) bytes += chunk->memory_bytes();
  return bytes;
}

// --- diff ---------------------------------------------------------------------------------------------

namespace {

// A place in a version, chunk by chunk.
struct Position {
  const PooledVector<ChunkPtr>& chunks;
  std::size_t chunk = 0;
  std::size_t index = 0;

  bool at_end() const { return chunk == chunks.size(); }
  bool at_chunk_start() const { return index == 0; }
  MessageState message() const { return chunks[chunk]->at(index); }
  void skip_chunk() {
    ++chunk;
    index = 0;
  }
  void next() {
    if (++index == chunks[chunk]->size()) skip_chunk();
  }
};

}  // namespace

VersionDiff diff(const MailboxVersion& older, const MailboxVersion& newer) {
  VersionDiff result;
  const ModSeq known = older.facts().highest_modseq;
  Position before{older.chunks()};
  Position after{newer.chunks()};
  while (!before.at_end() && !after.at_end()) {
    // A shared chunk is always reached at its start on both sides: all that is below it was walked through.
    if (before.at_chunk_start() && after.at_chunk_start() && before.chunks[before.chunk] == after.chunks[after.chunk]) {
      before.skip_chunk();
      after.skip_chunk();
      continue;
    }
    const MessageState old_message = before.message();
    const MessageState new_message = after.message();
    if (old_message.uid < new_message.uid) {
      result.expunged.add(old_message.uid);
      before.next();
    } else if (new_message.uid < old_message.uid) {
      result.added.add(new_message.uid);
      after.next();
    } else {
      if (new_message.modseq > known) result.changed.add(new_message.uid);
      before.next();
      after.next();
    }
  }
  for (; !before.at_end(); before.next()) result.expunged.add(before.message().uid);
  for (; !after.at_end(); after.next()) result.added.add(after.message().uid);
  return result;
}

}  // namespace postkeep::storage
