#include "server/imap/mailbox_view.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postkeep;
using namespace postkeep::imap;
using storage::FlagTable;
using storage::MailboxVersion;
using storage::MailboxVersionPtr;
using storage::MessageState;

namespace {

// Flag codes of the table that all versions here share.
constexpr storage::FlagCode no_flags = 0;
constexpr storage::FlagCode seen = 1;
constexpr storage::FlagCode seen_flagged = 2;
constexpr storage::FlagCode flagged = 3;

std::shared_ptr<const FlagTable> flag_table() {
  Flags s;
  s.set(SystemFlag::seen);
  Flags sf = s;
  sf.set(SystemFlag::flagged);
  Flags f;
  f.set(SystemFlag::flagged);
  return std::make_shared<const FlagTable>(std::vector<Flags>{Flags(), s, sf, f});
}

MessageState message(std::uint32_t uid, std::uint64_t modseq, storage::FlagCode flags = no_flags) {
  MessageState state;
  state.uid = Uid(uid);
  state.flags = flags;
  state.modseq = ModSeq(modseq);
  return state;
}

MailboxVersionPtr version(std::uint64_t modseq, const std::vector<MessageState>& messages) {
  MailboxVersion::Facts facts;
  facts.mailbox = MailboxId(1);
  facts.uid_validity = UidValidity(9);
  facts.uid_next = Uid(1000);
  facts.highest_modseq = ModSeq(modseq);
  return MailboxVersion::build(facts, flag_table(), messages);
}

// The report as the lines that a client would get.
std::vector<std::string> lines(const ViewReport& report, const MailboxView& view) {
  std::vector<std::string> out;
  for (auto range = report.expunged.rbegin(); range != report.expunged.rend(); ++range) {
    for (std::uint32_t n = range->last; n >= range->first; --n) out.push_back(std::to_string(n) + " EXPUNGE");
  }
  if (report.exists) out.push_back(std::to_string(*report.exists) + " EXISTS");
  if (report.recent) out.push_back(std::to_string(*report.recent) + " RECENT");
  view.messages().for_each_in(report.changed, [&](SeqNum seq, const MessageState& m) {
    out.push_back(std::to_string(seq.value()) + " FETCH " + view.messages().flags_of(m).to_wire());
  });
  return out;
}

using Lines = std::vector<std::string>;

SequenceSet numbers(const std::string& text) { return SequenceSet::parse(text).value(); }

}  // namespace

TEST_CASE("a view that did not change reports nothing") {
  const MailboxVersionPtr v = version(5, {message(1, 2), message(2, 3)});
  MailboxView view(v, Uid(0));
  CHECK(view.apply(v, ExpungeRule::allowed, Uid(0)).empty());
}

TEST_CASE("expunged messages are reported from the last to the first") {
  MailboxView view(version(5, {message(1, 1), message(2, 1), message(3, 1), message(4, 1), message(5, 1)}), Uid(0));
  const auto newest = version(6, {message(1, 1), message(4, 1)});
  const ViewReport report = view.apply(newest, ExpungeRule::allowed, Uid(0));
  CHECK(lines(report, view) == Lines{"5 EXPUNGE", "3 EXPUNGE", "2 EXPUNGE"});
  CHECK(view.messages().count() == 2);
}

TEST_CASE("new messages, their recent count and changed flags are reported after expunges") {
  MailboxView view(version(5, {message(1, 1), message(2, 1), message(3, 1)}), Uid(3));
  CHECK(view.is_recent(Uid(3)));
  const auto newest = version(8, {message(2, 7, seen), message(3, 1), message(9, 8), message(10, 8)});
  const ViewReport report = view.apply(newest, ExpungeRule::allowed, Uid(10));
  CHECK(lines(report, view) == Lines{"1 EXPUNGE", "4 EXISTS", "2 RECENT", "1 FETCH \\Seen"});
  CHECK_FALSE(view.is_recent(Uid(9)));
  CHECK(view.is_recent(Uid(10)));
}

TEST_CASE("while EXPUNGE is held the numbers stay, and news is reported in them") {
  MailboxView view(version(5, {message(1, 1), message(2, 1), message(3, 1)}), Uid(0));
  const auto newest = version(8, {message(1, 1), message(3, 7, seen), message(4, 8)});
  const ViewReport held = view.apply(newest, ExpungeRule::held, Uid(0));
  CHECK(lines(held, view) == Lines{"4 EXISTS", "3 FETCH \\Seen"});
  CHECK(view.ghosts() == UidSet{Uid(2)});
  CHECK(view.resolve_sequence(numbers("3")).value() == UidSet{Uid(3)});

  SUBCASE("and are reported once when they may be") {
    const ViewReport report = view.apply(newest, ExpungeRule::allowed, Uid(0));
    CHECK(lines(report, view) == Lines{"2 EXPUNGE"});
    CHECK(view.ghosts().empty());
    CHECK(view.apply(newest, ExpungeRule::allowed, Uid(0)).empty());
  }
  SUBCASE("and more can go meanwhile") {
    const auto emptier = version(9, {message(3, 7, seen), message(4, 8)});
    CHECK(view.apply(emptier, ExpungeRule::held, Uid(0)).empty());
    CHECK(view.messages().count() == 4);
    const ViewReport report = view.apply(emptier, ExpungeRule::allowed, Uid(0));
    CHECK(lines(report, view) == Lines{"2 EXPUNGE", "1 EXPUNGE"});
  }
}

TEST_CASE("a recent message that is expunged lowers the recent count") {
  MailboxView view(version(5, {message(1, 1), message(2, 1)}), Uid(1));
  const ViewReport report = view.apply(version(6, {message(2, 1)}), ExpungeRule::allowed, Uid(0));
  CHECK(lines(report, view) == Lines{"1 EXPUNGE", "1 RECENT"});
}

TEST_CASE("a silent store is not reported where its outcome is what the client expects") {
  MailboxView view(version(5, {message(1, 1), message(2, 1, flagged), message(3, 1)}), Uid(0));
  OwnStore own;
  own.answer = OwnStore::Answer::silent;
  own.uids = UidSet{Uid(1), Uid(2)};
  own.change = FlagChange::add;
  own.flags.set(SystemFlag::seen);
  // Message 1 was flagged by another session at the same time, and message 3 is none of ours.
  const auto newest = version(9, {message(1, 8, seen_flagged), message(2, 8, seen_flagged), message(3, 9, flagged)});
  const ViewReport report = view.apply(newest, ExpungeRule::held, Uid(0), &own);
  CHECK(lines(report, view) == Lines{"1 FETCH \\Flagged \\Seen", "3 FETCH \\Flagged"});
  CHECK(view.apply(newest, ExpungeRule::allowed, Uid(0)).empty());
}

TEST_CASE("a store that is told reports all its messages, changed or not, but no ghosts") {
  MailboxView view(version(5, {message(1, 1, seen), message(2, 1), message(3, 1)}), Uid(0));
  OwnStore own;
  own.uids = UidSet{Uid(1), Uid(2), Uid(3)};
  own.flags.set(SystemFlag::seen);
  const auto newest = version(9, {message(1, 1, seen), message(3, 9, seen)});
  const ViewReport report = view.apply(newest, ExpungeRule::held, Uid(0), &own);
  CHECK(lines(report, view) == Lines{"1 FETCH \\Seen", "3 FETCH \\Seen"});
}

TEST_CASE("message numbers and UIDs resolve to what the client knows") {
  const MailboxView view(version(5, {message(10, 1), message(20, 1), message(30, 1)}), Uid(0));
  CHECK(view.resolve_sequence(numbers("1,3")).value() == UidSet{Uid(10), Uid(30)});
  CHECK(view.resolve_sequence(numbers("*:2")).value() == UidSet{Uid(20), Uid(30)});
  CHECK(view.resolve_sequence(numbers("4")).error().kind == ErrorKind::client_bug);
  CHECK(view.resolve_sequence(numbers("2:4")).error().kind == ErrorKind::client_bug);
  CHECK(view.resolve_sequence(numbers("4:*")).value() == UidSet{Uid(30)});
  CHECK(view.resolve_sequence(numbers("*:9,1")).value() == UidSet{Uid(10), Uid(30)});
  CHECK(view.resolve_sequence(numbers("4:*,4")).error().kind == ErrorKind::client_bug);
  CHECK(view.resolve_uids(numbers("1:15,99")) == UidSet{Uid(10)});
  CHECK(view.resolve_uids(numbers("31:*")) == UidSet{Uid(30)});
}

TEST_CASE("in an empty mailbox every message number is an error and every UID nothing") {
  const MailboxView view(version(5, {}), Uid(0));
  CHECK_FALSE(view.resolve_sequence(numbers("*")));
  CHECK_FALSE(view.resolve_sequence(numbers("1:*")));
  CHECK(view.resolve_uids(numbers("1:*")).empty());
}

TEST_CASE("what is settled stays behind expunges that are held back") {
  MailboxView view(version(5, {message(1, 1), message(2, 1)}), Uid(0));
  CHECK(view.settled_modseq() == ModSeq(5));
  view.apply(version(7, {message(1, 7, flagged)}), ExpungeRule::held, Uid(0));
  CHECK(view.settled_modseq() == ModSeq(5));
  view.apply(version(8, {message(1, 8)}), ExpungeRule::allowed, Uid(0));
  CHECK(view.settled_modseq() == ModSeq(8));
}

TEST_CASE("a silent STORE leaves its modseqs to be told, a conditional one also where nothing changed") {
  OwnStore own;
  own.answer = OwnStore::Answer::silent;
  own.uids = {Uid(1), Uid(2)};
  own.flags.set(SystemFlag::flagged);
  const MailboxVersionPtr before = version(5, {message(1, 1), message(2, 2, flagged), message(3, 3)});
  const MailboxVersionPtr after = version(6, {message(1, 6, flagged), message(2, 2, flagged), message(3, 3)});
  MailboxView plain(before, Uid(0));
  const ViewReport report = plain.apply(after, ExpungeRule::allowed, Uid(0), &own);
  CHECK(report.changed.empty());
  CHECK(report.silent == UidSet{Uid(1)});
  own.conditional = true;
  own.refused = {Uid(3)};
  MailboxView conditional(before, Uid(0));
  const ViewReport told = conditional.apply(after, ExpungeRule::allowed, Uid(0), &own);
  CHECK(told.changed == UidSet{Uid(3)});
  CHECK(told.silent == UidSet{Uid(1), Uid(2)});
}
