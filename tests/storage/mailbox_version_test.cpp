// MailboxVersion against a naive model, its sharing, its differences and its size.
#include "storage/mailbox_version.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/support/random.h"

namespace postkeep::storage {
namespace {

constexpr FlagCode no_flags = 0;
constexpr FlagCode seen_code = 1;
constexpr FlagCode deleted = 2;
constexpr FlagCode seen_deleted = 3;

std::shared_ptr<const FlagTable> make_table() {
  std::vector<Flags> combinations(4);
  combinations[1].set(SystemFlag::seen);
  combinations[2].set(SystemFlag::deleted);
  combinations[3].set(SystemFlag::seen);
  combinations[3].set(SystemFlag::deleted);
  return std::make_shared<FlagTable>(combinations);
}

MailboxVersion::Facts facts_at(std::uint64_t modseq) {
  MailboxVersion::Facts facts;
  facts.mailbox = MailboxId(7);
  facts.uid_validity = UidValidity(1);
  facts.highest_modseq = ModSeq(modseq);
  return facts;
}

std::vector<MessageState> dense(std::uint32_t count, FlagCode flags = no_flags, std::uint64_t modseq = 1) {
  std::vector<MessageState> messages;
  for (std::uint32_t i = 1; i <= count; ++i) messages.push_back({Uid(i), flags, ModSeq(modseq)});
  return messages;
}

std::size_t shared_chunks(const MailboxVersion& a, const MailboxVersion& b) {
  const std::set<MailboxVersion::ChunkPtr> in_a(a.chunks().begin(), a.chunks().end());
  std::size_t shared = 0;
  for (const auto& chunk : b.chunks()) shared += in_a.count(chunk);
  return shared;
}

using Model = std::map<std::uint32_t, MessageState>;

std::vector<MessageState> values_of(const Model& model) {
  std::vector<MessageState> messages;
  for (const auto& [uid, message] : model) messages.push_back(message);
  return messages;
}

// Everything that a version can be asked, compared with a sorted map.
void check_against(const MailboxVersion& version, const Model& model, test::Random& random) {
  REQUIRE(version.count() == model.size());
  std::uint32_t seq = 0;
  std::uint32_t seen_count = 0;
  std::uint32_t deleted_count = 0;
  std::optional<SeqNum> first_unseen;
  UidSet all;
  UidSet with_deleted;
  bool equal = true;
  for (const auto& [uid, expected] : model) {
    ++seq;
    const MessageState actual = version.at(SeqNum(seq));
    equal = equal && actual.uid == expected.uid && actual.flags == expected.flags && actual.modseq == expected.modseq;
    equal = equal && version.seq_of(Uid(uid)) == SeqNum(seq) && version.count_below(Uid(uid)) == seq - 1;
    const Flags& flags = version.flags_of(actual);
    seen_count += flags.has(SystemFlag::seen) ? 1 : 0;
    if (!flags.has(SystemFlag::seen) && !first_unseen) first_unseen = SeqNum(seq);
    if (flags.has(SystemFlag::deleted)) {
      ++deleted_count;
      with_deleted.add(Uid(uid));
    }
    all.add(Uid(uid));
  }
  CHECK(equal);
  CHECK(version.count_seen() == seen_count);
  CHECK(version.count_deleted() == deleted_count);
  CHECK(version.first_unseen() == first_unseen);
  CHECK(version.all_uids() == all);
  CHECK(version.uids_with(SystemFlag::deleted) == with_deleted);
  CHECK(version.last_uid() == (model.empty() ? Uid() : Uid(model.rbegin()->first)));

  // A random set of numbers, read as UIDs and as message numbers.
  UidSet numbers;
  for (int i = 0; i < 5; ++i) {
    const std::uint32_t first = random.below(12'000) + 1;
    numbers.add_range(Uid(first), Uid(first + random.below(700)));
  }
  CHECK(version.existing(numbers) == all.intersect(numbers));
  UidSet visited;
  version.for_each_in(numbers, [&](SeqNum, const MessageState& message) { visited.add(message.uid); });
  CHECK(visited == all.intersect(numbers));
  UidSet by_seq;
  seq = 0;
  for (const auto& [uid, message] : model) {
    if (numbers.contains(Uid(++seq))) by_seq.add(Uid(uid));
  }
  CHECK(version.uids_of_seqs(numbers) == by_seq);
  const std::uint32_t probe = random.below(12'000) + 1;
  CHECK(version.seq_of(Uid(probe)).has_value() == (model.count(probe) == 1));
  CHECK(version.count_below(Uid(probe)) ==
        static_cast<std::uint32_t>(std::distance(model.begin(), model.lower_bound(probe))));
}

void check_diff(const MailboxVersion& older, const Model& old_model, const MailboxVersion& newer,
                const Model& new_model) {
  VersionDiff expected;
  for (const auto& [uid, message] : old_model) {
    const auto now = new_model.find(uid);
    if (now == new_model.end()) {
      expected.expunged.add(Uid(uid));
    } else if (now->second.modseq > older.facts().highest_modseq) {
      expected.changed.add(Uid(uid));
    }
  }
  for (const auto& [uid, message] : new_model) {
    if (old_model.count(uid) == 0) expected.added.add(Uid(uid));
  }
  const VersionDiff actual = diff(older, newer);
  CHECK(actual.expunged == expected.expunged);
  CHECK(actual.added == expected.added);
  CHECK(actual.changed == expected.changed);
}

void check_chunk_sizes(const MailboxVersion& version) {
  for (std::size_t c = 0; c < version.chunks().size(); ++c) {
    CHECK(version.chunks()[c]->size() <= 2 * MessageChunk::target_size);
    // The last one may be small where a mailbox was built whole.
    if (c + 1 < version.chunks().size()) CHECK(version.chunks()[c]->size() >= MessageChunk::target_size / 4);
  }
}

// One random step: a few flags, an arrival of some, a removal of some or of many.
void random_change(test::Random& random, Model& model, std::uint32_t& uid_next, std::uint64_t modseq,
                   std::vector<MessageState>& changes, UidSet& removed) {
  const auto any_flags = [&] { return static_cast<FlagCode>(random.below(4)); };
  const std::uint32_t first = random.below(uid_next);
  const std::uint32_t length = random.one_in(8) ? random.below(4'000) : random.below(3);
  for (std::uint32_t uid = first; uid < first + length; ++uid) {
    if (model.erase(uid) > 0) removed.add(Uid(uid));
  }
  std::set<std::uint32_t> touched;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const auto at = model.lower_bound(random.below(uid_next));
    if (at == model.end()) continue;
    at->second.flags = any_flags();
    at->second.modseq = ModSeq(modseq);
    touched.insert(at->first);
  }
  const std::uint32_t arrivals = random.one_in(3) ? random.below(900) : random.below(3);
  for (std::uint32_t i = 0; i < arrivals; ++i) {
    if (random.one_in(40)) uid_next += random.below(30);
    model[uid_next] = {Uid(uid_next), any_flags(), ModSeq(modseq)};
    touched.insert(uid_next++);
  }
  for (const std::uint32_t uid : touched) changes.push_back(model.at(uid));
}

TEST_CASE("A version answers like a sorted list of messages, through random changes") {
  for (const std::uint64_t seed : {1U, 2U}) {
    CAPTURE(seed);
    test::Random random(seed);
    Model model;
    std::uint32_t uid_next = 1;
    std::uint64_t modseq = 1;
    MailboxVersionPtr version = MailboxVersion::build(facts_at(modseq), make_table(), {});
    MailboxVersionPtr long_ago = version;
    Model model_long_ago;
    for (int step = 0; step < 60; ++step) {
      modseq += random.one_in(10) ? 5'000'000'000ULL : 1;
      const Model before = model;
      std::vector<MessageState> changes;
      UidSet removed;
      random_change(random, model, uid_next, modseq, changes, removed);
      const MailboxVersionPtr next = version->with_changes(facts_at(modseq), make_table(), changes, removed);
      check_diff(*version, before, *next, model);
      check_diff(*long_ago, model_long_ago, *next, model);
      if (step % 10 == 0) {
        check_against(*next, model, random);
        check_chunk_sizes(*next);
        check_against(*MailboxVersion::build(facts_at(modseq), make_table(), values_of(model)), model, random);
      }
      if (random.one_in(12)) {
        long_ago = next;
        model_long_ago = model;
      }
      version = next;
    }
  }
}

TEST_CASE("A change of one message copies one chunk and shares all others") {
  const MailboxVersionPtr before = MailboxVersion::build(facts_at(1), make_table(), dense(100'000));
  REQUIRE(before->chunks().size() == 100);
  const auto after = before->with_changes(facts_at(2), make_table(), {{Uid(55'555), seen_code, ModSeq(2)}}, {});
  CHECK(shared_chunks(*before, *after) == 99);
  const VersionDiff difference = diff(*before, *after);
  CHECK(difference.changed == UidSet{Uid(55'555)});
  CHECK(difference.added.empty());
  CHECK(difference.expunged.empty());
  // The version before is as it was.
  CHECK(before->count_seen() == 0);
  CHECK(after->count_seen() == 1);
  CHECK(before->find(Uid(55'555))->flags == no_flags);
}

TEST_CASE("An arrival shares every chunk but the last, and 1,500 single arrivals keep chunks in bounds") {
  MailboxVersionPtr version = MailboxVersion::build(facts_at(1), make_table(), dense(10'000));
  for (std::uint32_t i = 1; i <= 1'500; ++i) {
    const MailboxVersionPtr next =
        version->with_changes(facts_at(1 + i), make_table(), {{Uid(10'000 + i), no_flags, ModSeq(1 + i)}}, {});
    CHECK(shared_chunks(*version, *next) + 1 >= version->chunks().size());
    CHECK(diff(*version, *next).added == UidSet{Uid(10'000 + i)});
    version = next;
  }
  CHECK(version->count() == 11'500);
  check_chunk_sizes(*version);
}

TEST_CASE("A mailbox that is emptied has no chunks, and can be filled again") {
  const auto full = MailboxVersion::build(facts_at(1), make_table(), dense(5'000, seen_deleted));
  CHECK(full->count_deleted() == 5'000);
  const auto empty = full->with_changes(facts_at(2), make_table(), {}, full->uids_with(SystemFlag::deleted));
  CHECK(empty->count() == 0);
  CHECK(empty->chunks().empty());
  CHECK(empty->last_uid() == Uid());
  CHECK_FALSE(empty->first_unseen());
  CHECK(diff(*full, *empty).expunged == UidSet::of_range(Uid(1), Uid(5'000)));
  const auto again = empty->with_changes(facts_at(3), make_table(), {{Uid(5'001), deleted, ModSeq(3)}}, {});
  CHECK(again->count() == 1);
  CHECK(again->seq_of(Uid(5'001)) == SeqNum(1));
  CHECK(diff(*full, *again).added == UidSet{Uid(5'001)});
}

TEST_CASE("Changes may come in any order, and a UID both removed and changed is there") {
  const auto before = MailboxVersion::build(facts_at(1), make_table(), dense(10));
  const auto after = before->with_changes(
      facts_at(2), make_table(),
      {{Uid(12), seen_code, ModSeq(2)}, {Uid(3), seen_code, ModSeq(2)}, {Uid(11), seen_code, ModSeq(2)}},
      UidSet{Uid(3), Uid(4)});
  CHECK(after->all_uids() ==
        UidSet{Uid(1), Uid(2), Uid(3), Uid(5), Uid(6), Uid(7), Uid(8), Uid(9), Uid(10), Uid(11), Uid(12)});
  CHECK(after->count_seen() == 3);
}

TEST_CASE("The largest UID of all and message numbers beyond the end are handled") {
  const Uid largest(0xFFFFFFFFU);
  const auto version = MailboxVersion::build(facts_at(1), make_table(),
                                             {{Uid(5), no_flags, ModSeq(1)}, {largest, seen_code, ModSeq(1)}});
  CHECK(version->existing(UidSet::of_range(Uid(6), largest)) == UidSet{largest});
  CHECK(version->count_below(largest) == 1);
  CHECK(version->uids_of_seqs(UidSet::of_range(Uid(2), Uid(1'000))) == UidSet{largest});
  CHECK(version->uids_of_seqs(UidSet{Uid(3)}).empty());
}

TEST_CASE("1,000,000 messages take at most 8 bytes each, and less than one where all are alike") {
  const auto alike = MailboxVersion::build(facts_at(1), make_table(), dense(1'000'000, seen_code));
  MESSAGE("alike: " << alike->memory_bytes() << " bytes");
  CHECK(alike->memory_bytes() < 1'000'000);
  std::vector<MessageState> messages = dense(1'000'000);
  test::Random random(9);
  for (MessageState& message : messages) {
    message.flags = static_cast<FlagCode>(random.below(4));
    message.modseq = ModSeq(random.below(1'000'000) + 1);
  }
  const auto varied = MailboxVersion::build(facts_at(1'000'000), make_table(), messages);
  MESSAGE("varied flags and modseqs: " << varied->memory_bytes() << " bytes");
  CHECK(varied->memory_bytes() < 8'000'000);
  CHECK(varied->memory_bytes() > 6'000'000);  // 2 for flags, 4 for modseqs: so it is really counted
}

}  // namespace
}  // namespace postkeep::storage
