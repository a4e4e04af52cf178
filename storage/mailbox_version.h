// MailboxVersion: all messages of one mailbox at one moment: UIDs, flags, modseqs. Immutable and shared.
// A persistent sequence of chunks: a change copies the chunks it touches and the spine, the rest is
// shared with the version before. A session's view is a pointer to the version that it last reported;
// what to tell it is the difference between that version and the newest (diff()), computed without disk.
// Both backends make them; server/imap reads them. Any thread may read; nobody may write.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"
#include "storage/pooled.h"

namespace postkeep::storage {

using FlagCode = std::uint16_t;  // index into FlagTable

// The distinct flag combinations of a mailbox: append-only, shared by versions. Code 0 is "no flags".
class FlagTable {
 public:
  const Flags& flags(FlagCode code) const { return combinations_[code]; }
  std::size_t size() const { return combinations_.size(); }
  FlagTable() : combinations_(1) {}
  explicit FlagTable(const std::vector<Flags>& combinations)
      : combinations_(combinations.begin(), combinations.end()) {}

 private:
  PooledVector<Flags> combinations_;
};

struct MessageState {
  Uid uid;
  FlagCode flags = 0;
  ModSeq modseq;
};

// About 1,000 messages, ascending UIDs. UIDs are kept as ranges while they are dense.
class MessageChunk {
 public:
  static constexpr std::size_t target_size = 1000;  // split above twice of this, merge below a quarter
  // `messages`: not empty, ascending UIDs. The table is only read here, for the counts: since it is
  // append-only, they hold for every later version that shares the chunk.
  MessageChunk(std::span<const MessageState> messages, const FlagTable& flag_table);
  std::size_t size() const;
  Uid first_uid() const;
  Uid last_uid() const;
  ModSeq highest_modseq() const;
  MessageState at(std::size_t index) const;
  std::optional<std::size_t> find(Uid uid) const;        // index of exactly this UID
  std::size_t lower_bound(Uid uid) const;                // number of messages with a smaller UID
  std::uint32_t count_with(SystemFlag flag) const;       // O(1): counted when it is made
  void append_to(std::vector<MessageState>& out) const;  // all messages, ascending
  // The UIDs of the messages with index first..last (both included), added to `out`; O(ranges).
  void add_uids_between(std::size_t first, std::size_t last, UidSet& out) const;
  std::size_t memory_bytes() const;

 private:
  void count_flags(std::span<const MessageState> messages, const FlagTable& flag_table);
  PooledVector<UidSet::Range> ranges_;
  PooledVector<std::uint32_t> range_starts_;  // index of the first message of each range
  PooledVector<FlagCode> flags_;              // empty if all are `uniform_flags_`
  FlagCode uniform_flags_ = 0;
  ModSeq base_modseq_;
  PooledVector<std::uint32_t> modseq_offsets_;  // from base_modseq_; empty if all equal
  PooledVector<std::uint64_t> wide_modseqs_;    // instead, where an offset needs more than 32 bits
  ModSeq highest_modseq_;
  std::uint32_t size_ = 0;
  std::array<std::uint32_t, 5> flag_counts_{};  // by bit number of SystemFlag
};

class MailboxVersion;
using MailboxVersionPtr = std::shared_ptr<const MailboxVersion>;

// What one version has that an older one of the same mailbox has not.
struct VersionDiff {
  UidSet expunged;  // in the old, not in the new
  UidSet added;     // in the new, not in the old
  UidSet changed;   // in both, modseq above the old version's highest
  bool empty() const { return expunged.empty() && added.empty() && changed.empty(); }
};

class MailboxVersion {
 public:
  using ChunkPtr = std::shared_ptr<const MessageChunk>;
  struct Facts {
    MailboxId mailbox;
    UidValidity uid_validity;
    Uid uid_next;                       // larger than any UID ever given
    ModSeq highest_modseq;              // of any change ever, expunges included; at least 1
    Uid first_recent;                   // messages from this UID on are \Recent to whoever claims them
    std::vector<std::string> keywords;  // defined in the mailbox, for FLAGS and PERMANENTFLAGS
  };

  MailboxVersion(Facts facts, std::shared_ptr<const FlagTable> flag_table, PooledVector<ChunkPtr> chunks);
  // Cuts `messages` (ascending UIDs) into chunks.
  static MailboxVersionPtr build(Facts facts, std::shared_ptr<const FlagTable> flag_table,
                                 const std::vector<MessageState>& messages);
  // This version with messages changed (same UID), removed and added (UIDs above all others or between);
  // untouched chunks are shared. A UID in both is there afterwards.
  MailboxVersionPtr with_changes(Facts facts, std::shared_ptr<const FlagTable> flag_table,
                                 const std::vector<MessageState>& changed_or_added, const UidSet& removed) const;

  const Facts& facts() const { return facts_; }
  std::uint32_t count() const { return count_; }  // EXISTS
  std::uint32_t count_seen() const { return seen_; }
  std::uint32_t count_deleted() const { return deleted_; }
  std::uint32_t unseen() const { return count_ - seen_; }

  MessageState at(SeqNum seq) const;            // 1..count()
  std::optional<SeqNum> seq_of(Uid uid) const;  // none if not there; O(log)
  std::uint32_t count_below(Uid uid) const;     // messages with a smaller UID
  std::optional<MessageState> find(Uid uid) const;
  const Flags& flags_of(const MessageState& message) const { return flag_table_->flags(message.flags); }
  const std::shared_ptr<const FlagTable>& flag_table() const { return flag_table_; }
  std::optional<SeqNum> first_unseen() const;
  Uid last_uid() const;  // 0 if empty

  // Calls visit(SeqNum, const MessageState&) for the messages whose UID is in `uids`, ascending; cost in
  // what is visited and in ranges, not in the mailbox.
  template <class Visit>
  void for_each_in(const UidSet& uids, Visit&& visit) const;
  template <class Visit>
  void for_each(Visit&& visit) const;
  UidSet all_uids() const;
  UidSet uids_of_seqs(const UidSet& seqs) const;  // message numbers (as numbers in a UidSet) to UIDs
  UidSet existing(const UidSet& uids) const;      // the part of `uids` that is here
  UidSet uids_with(SystemFlag flag) const;        // O(messages in chunks that have one)
  UidSet changed_since(ModSeq since) const;       // modseq above it; O(messages in chunks that have one)
  const PooledVector<ChunkPtr>& chunks() const { return chunks_; }
  std::size_t memory_bytes() const;

 private:
  std::size_t chunk_of_seq(std::uint32_t index) const;  // 0-based index of a message
  std::size_t chunk_of_uid(Uid uid) const;              // first chunk whose last UID is >= uid, or chunks_.size()
  Facts facts_;
  std::shared_ptr<const FlagTable> flag_table_;
  PooledVector<ChunkPtr> chunks_;
  PooledVector<std::uint32_t> starts_;  // index of each chunk's first message
  std::uint32_t count_ = 0;
  std::uint32_t seen_ = 0;
  std::uint32_t deleted_ = 0;
};

// Makes a version of messages that come one by one, with ascending UIDs. Chunks are made as they fill, so that a large
// mailbox takes hardly more memory than what is kept of it.
class VersionBuilder {
 public:
  explicit VersionBuilder(std::shared_ptr<const FlagTable> flag_table);
  void add(const MessageState& message) {
    pending_.push_back(message);
    if (pending_.size() == MessageChunk::target_size) flush();
  }
  MailboxVersionPtr finish(MailboxVersion::Facts facts);  // once

 private:
  void flush();
  std::shared_ptr<const FlagTable> flag_table_;
  PooledVector<MailboxVersion::ChunkPtr> chunks_;
  std::vector<MessageState> pending_;
};

// Chunks that both share cost nothing.
VersionDiff diff(const MailboxVersion& older, const MailboxVersion& newer);

template <class Visit>
void MailboxVersion::for_each_in(const UidSet& uids, Visit&& visit) const {
  for (const UidSet::Range& range : uids.ranges()) {
    for (std::size_t c = chunk_of_uid(range.first); c < chunks_.size() && chunks_[c]->first_uid() <= range.last; ++c) {
      const MessageChunk& chunk = *chunks_[c];
      for (std::size_t i = chunk.lower_bound(range.first); i < chunk.size(); ++i) {
        const MessageState message = chunk.at(i);
        if (message.uid > range.last) break;
        visit(SeqNum(static_cast<std::uint32_t>(starts_[c] + i + 1)), message);
      }
    }
  }
}

template <class Visit>
void MailboxVersion::for_each(Visit&& visit) const {
  for (std::size_t c = 0; c < chunks_.size(); ++c) {
    for (std::size_t i = 0; i < chunks_[c]->size(); ++i) {
      visit(SeqNum(static_cast<std::uint32_t>(starts_[c] + i + 1)), chunks_[c]->at(i));
    }
  }
}

}  // namespace postkeep::storage
