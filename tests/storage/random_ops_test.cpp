// The same random operations on the memory model and on each backend, compared after each: results, errors, versions,
// statuses, flags, bodies; with restarts and lost indexes in between. UIDs, ids and modseqs may differ between stores
// (floors leave gaps), so messages are told by the order in which their mailbox got them.
// A failure prints its seed: POSTKEEP_SEED=<n> runs that one alone, POSTKEEP_STEPS=<n> makes it longer.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <sstream>

#include "tests/support/random.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using storage::MailboxVersionPtr;

// One store, and what is needed to name its messages as the other store's are named.
class Side {
 public:
  explicit Side(const storage::Backend& backend) : store(backend) {}

  // Numbers the messages that came since the last call, in the order of their UIDs.
  void number_arrivals(MailboxId box) {
    store.uids(box).for_each([&](Uid uid) {
      if (numbers_[box].emplace(uid, next_[box]).second) ++next_[box];
    });
  }
  std::string told(MailboxId box, const UidSet& uids) const {
    std::ostringstream out;
    const auto known = numbers_.find(box);
    for (const Uid uid : uids.to_vector()) {
      const bool is_known = known != numbers_.end() && known->second.count(uid) == 1;
      out << (is_known ? known->second.at(uid) : -1) << ' ';
    }
    return out.str();
  }
  // A session's view of each mailbox, for diffs.
  MailboxVersionPtr held(MailboxId box) {
    MailboxVersionPtr& version = held_[box];
    if (!version) version = store.version(box);
    return version;
  }
  void hold_newest(MailboxId box) { held_[box] = store.version(box); }
  void forget_held() { held_.clear(); }

  StoreFixture store;

 private:
  std::map<MailboxId, std::map<Uid, int>> numbers_;
  std::map<MailboxId, int> next_;
  std::map<MailboxId, MailboxVersionPtr> held_;
};

template <class T, class Describe>
std::string told_result(const Result<T>& result, Describe&& describe) {
  if (!result) return "error " + std::string(to_string(result.error().kind));
  return describe(*result);
}
std::string told_outcome(const Outcome& outcome) {
  return outcome ? "done" : "error " + std::string(to_string(outcome.error().kind));
}

// Everything about one mailbox that has to be the same in both stores.
std::string told_mailbox(Side& side, MailboxId box, bool with_recent) {
  std::ostringstream out;
  const storage::MailboxStatus status = side.store.status(box);
  out << "messages " << status.messages << " unseen " << status.unseen << " deleted " << status.deleted << " size "
      << status.size;
  if (with_recent) out << " recent " << status.recent;
  const MailboxVersionPtr version = side.store.version(box);
  if (version->count() != status.messages || version->unseen() != status.unseen ||
      version->facts().uid_next != status.uid_next || version->facts().highest_modseq != status.highest_modseq) {
    out << " (version and status differ)";
  }
  const UidSet uids = version->all_uids();
  out << "\n  uids " << side.told(box, uids) << '\n';
  const storage::FetchWants wants{true, true, true, true, true, true, true};
  for (const storage::MessageRow& row : must(side.store.account().fetch(box, uids, wants))) {
    out << "  " << side.told(box, UidSet{row.uid}) << version->flags_of(*version->find(row.uid)).to_wire() << " | "
        << row.internal_date.seconds << ' ' << row.save_date.seconds << ' ' << row.size
        << (row.ends_in_crlf ? " " : " cut ") << to_wire(row.email_id) << ' ' << to_wire(row.thread_id) << ' '
        << row.envelope << row.body_structure << row.cached_headers.value_or("none") << side.store.content(box, row.uid)
        << '\n';
  }
  return out.str();
}

std::string told_mailboxes(Side& side) {
  std::ostringstream out;
  for (const storage::Mailbox& mailbox : must(side.store.account().list_mailboxes())) {
    out << mailbox.name.utf8() << (mailbox.exists ? " there" : " gone") << (mailbox.subscribed ? " subscribed " : " ")
        << to_wire(mailbox.special_use) << '\n';
  }
  return out.str();
}

// What a session that holds an older version would be told, and what QRESYNC would.
std::string told_changes(Side& side, MailboxId box) {
  const MailboxVersionPtr before = side.held(box);
  const MailboxVersionPtr now = side.store.version(box);
  const storage::VersionDiff difference = diff(*before, *now);
  const UidSet expunged = must(side.store.account().expunged_since(box, before->facts().highest_modseq));
  return "added " + side.told(box, difference.added) + " changed " + side.told(box, difference.changed) + " expunged " +
         side.told(box, difference.expunged) + " known expunged " +
         side.told(box, expunged.intersect(before->all_uids()));
}

// One operation with all its arguments decided, so that both stores get the same.
struct Step {
  enum class Kind {
    append,
    store,
    copy,
    move,
    expunge,
    create,
    remove,
    rename,
    subscribe,
    unsubscribe,
    special_use,
    claim_recent,
    background,
    hold,
    restart,
    lose_index
  };
  Kind kind = Kind::hold;
  MailboxName box;
  MailboxName other;
  std::vector<std::uint32_t> places;  // of messages: the n-th of the mailbox
  std::vector<std::string> contents;
  Flags flags;
  FlagChange change = FlagChange::add;
  bool unchanged_since = false;
  std::optional<UnixTime> date;
  SpecialUse use = SpecialUse::none;
};

MailboxName any_name(Random& random) {
  static const std::vector<std::string> names = {"INBOX", "a", "a/b", "a/b/c", "d.e", "INBOX/f", "Z\xC3\xBCrich"};
  return StoreFixture::name(names[random.below(static_cast<std::uint32_t>(names.size()))]);
}

Flags any_flags(Random& random) {
  Flags flags;
  flags.set_system_bits(static_cast<std::uint8_t>(random.below(32)));
  static const std::vector<std::string> keywords = {"$Junk", "$junk", "$Forwarded", "Work", "Urgent", "a1"};
  while (random.one_in(3)) flags.add_keyword(keywords[random.below(static_cast<std::uint32_t>(keywords.size()))]);
  return flags;
}

Step any_step(Random& random, std::uint32_t& message_number) {
  using Kind = Step::Kind;
  static const std::vector<Kind> choices = {
      Kind::append, Kind::append,       Kind::append,      Kind::append,      Kind::append,     Kind::store,
      Kind::store,  Kind::store,        Kind::store,       Kind::copy,        Kind::copy,       Kind::move,
      Kind::move,   Kind::expunge,      Kind::expunge,     Kind::create,      Kind::create,     Kind::remove,
      Kind::rename, Kind::subscribe,    Kind::unsubscribe, Kind::special_use, Kind::background, Kind::background,
      Kind::hold,   Kind::claim_recent, Kind::restart,     Kind::lose_index};
  Step step;
  step.kind = choices[random.below(static_cast<std::uint32_t>(choices.size()))];
  step.box = any_name(random);
  step.other = any_name(random);
  for (std::uint32_t i = random.below(6); i > 0; --i) step.places.push_back(random.below(30));
  for (std::uint32_t i = random.below(3) + 1; i > 0; --i) {
    step.contents.push_back(random.one_in(9) ? "bare\n" + std::string(random.below(3'000), 'b')
                                             : sample_message(message_number++));
  }
  step.flags = any_flags(random);
  step.change = static_cast<FlagChange>(random.below(3));
  step.unchanged_since = random.one_in(3);
  if (random.one_in(2)) step.date = UnixTime{static_cast<std::int64_t>(random.below(2'000'000'000))};
  step.use = random.one_in(4) ? SpecialUse::all : random.one_in(2) ? SpecialUse::sent : SpecialUse::none;
  return step;
}

UidSet uids_at(Side& side, MailboxId box, const std::vector<std::uint32_t>& places) {
  const std::vector<Uid> all = side.store.uids(box).to_vector();
  UidSet chosen;
  for (const std::uint32_t place : places) {
    if (place < all.size()) chosen.add(all[place]);
  }
  return chosen;
}

// Steps on messages. `box` and `other` exist.
std::string run_on_messages(Side& side, const Step& step, MailboxId box, MailboxId other) {
  storage::AccountStore& account = side.store.account();
  const UidSet uids = uids_at(side, box, step.places);
  const auto copied = [&](const Result<storage::CopyResult>& result) {
    side.number_arrivals(other);
    return told_result(result, [&](const storage::CopyResult& done) {
      return side.told(box, done.source) + "-> " + side.told(other, done.target);
    });
  };
  switch (step.kind) {
    case Step::Kind::append: {
      std::vector<storage::AppendItem> items;
      for (const std::string& content : step.contents) {
        items.push_back({side.store.incoming(content), step.flags, step.date});
      }
      const auto result = account.append(box, items);
      side.number_arrivals(box);
      return told_result(result, [&](const storage::AppendResult& done) { return side.told(box, done.uids); });
    }
    case Step::Kind::store: {
      std::optional<ModSeq> unchanged_since;
      if (step.unchanged_since) unchanged_since = side.held(box)->facts().highest_modseq;
      return told_result(account.store_flags(box, uids, step.change, step.flags, unchanged_since),
                         [&](const storage::StoreResult& done) {
                           return side.told(box, done.changed) + "modified " + side.told(box, done.modified);
                         });
    }
    case Step::Kind::copy:
      return copied(account.copy(box, uids, other));
    case Step::Kind::move:
      return copied(account.move(box, uids, other));
    case Step::Kind::expunge:
      return told_result(account.expunge(box, side.store.uids(box)),
                         [&](const UidSet& gone) { return side.told(box, gone); });
    case Step::Kind::claim_recent:
      return told_result(account.claim_recent(box), [](Uid) { return std::string("claimed"); });
    default:
      side.hold_newest(box);
      return "held";
  }
}

std::string run(Side& side, const Step& step) {
  storage::AccountStore& account = side.store.account();
  const auto named = [](const storage::Mailbox& mailbox) { return mailbox.name.utf8(); };
  switch (step.kind) {
    case Step::Kind::create:
      return told_result(account.create_mailbox(step.box, step.use), named);
    case Step::Kind::remove:
      return told_outcome(account.delete_mailbox(step.box));
    case Step::Kind::rename: {
      const std::string told = told_outcome(account.rename_mailbox(step.box, step.other));
      if (const auto made = account.find_mailbox(step.other)) side.number_arrivals(made->id);
      return told;
    }
    case Step::Kind::subscribe:
      return told_outcome(account.subscribe(step.box));
    case Step::Kind::unsubscribe:
      return told_outcome(account.unsubscribe(step.box));
    case Step::Kind::special_use:
      return told_outcome(account.set_special_use(step.box, step.use));
    case Step::Kind::background:
      side.store.clock().advance(std::chrono::milliseconds(1'700));
      return account.background_step() ? "stepped" : "failed";
    case Step::Kind::restart:
      side.store.reopen();
      return "restarted";
    case Step::Kind::lose_index:
      side.store.reopen_without_index();
      side.forget_held();  // every message has a new modseq
      return "index lost";
    default:
      break;
  }
  const auto box = account.find_mailbox(step.box);
  const auto other = account.find_mailbox(step.other);
  if (!box || !other) return "no such mailbox";
  return run_on_messages(side, step, box->id, other->id);
}

std::string told_everything(Side& side, bool with_recent) {
  std::string told = told_mailboxes(side);
  for (const storage::Mailbox& mailbox : must(side.store.account().list_mailboxes())) {
    if (!mailbox.exists) continue;
    told += mailbox.name.utf8() + ": " + told_mailbox(side, mailbox.id, with_recent) + told_changes(side, mailbox.id) +
            "\n";
  }
  return told;
}

std::uint32_t steps_wanted() {
  const char* text = std::getenv("POSTKEEP_STEPS");
  return text == nullptr ? 150 : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

void compare_stores(const storage::Backend& backend, std::uint64_t seed) {
  const std::string backend_name(backend.name);
  CAPTURE(backend_name);
  CAPTURE(seed);
  Random random(seed);
  Side model(storage::backends().front());
  Side other(backend);
  std::uint32_t message_number = 0;
  bool recent_known = true;  // \Recent is the one thing that a lost index may forget
  const std::uint32_t steps = steps_wanted();
  for (std::uint32_t number = 0; number < steps; ++number) {
    const Step step = any_step(random, message_number);
    CAPTURE(number);
    const int kind = static_cast<int>(step.kind);
    CAPTURE(kind);
    recent_known = recent_known && step.kind != Step::Kind::lose_index;
    REQUIRE(run(model, step) == run(other, step));
    REQUIRE(told_everything(model, recent_known) == told_everything(other, recent_known));
  }
}

TEST_CASE("Random operations leave every backend as they leave the model") {
  REQUIRE(storage::backends().front().name == "memory");
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4};
  if (const char* text = std::getenv("POSTKEEP_SEED")) seeds = {std::strtoull(text, nullptr, 10)};
  for (const storage::Backend& backend : storage::backends()) {
    for (const std::uint64_t seed : seeds) compare_stores(backend, seed);
  }
}

TEST_CASE("The comparison notices one flag, one octet, one date, one subscription and one missed change") {
  const storage::Backend& memory = storage::backends().front();
  const auto difference_after = [&](const std::function<void(Side&)>& only_here) {
    Side left(memory);
    Side right(memory);
    for (Side* side : {&left, &right}) {
      const MailboxId inbox = side->store.mailbox("INBOX");
      side->store.append_many(inbox, 3);
      side->number_arrivals(inbox);
      side->hold_newest(inbox);
    }
    REQUIRE(told_everything(left, true) == told_everything(right, true));
    only_here(left);
    return told_everything(left, true) != told_everything(right, true);
  };
  CHECK(difference_after([](Side& side) {
    const MailboxId inbox = side.store.mailbox("INBOX");
    side.store.add_flags(inbox, UidSet{side.store.uids(inbox).min()}, make_flags("\\Draft"));
  }));
  CHECK(difference_after([](Side& side) { must(side.store.account().subscribe(StoreFixture::name("x"))); }));
  CHECK(difference_after([](Side& side) { side.store.append(side.store.mailbox("INBOX"), "x"); }));
  CHECK(difference_after([](Side& side) {  // flags end as they were; only the modseq tells
    const MailboxId inbox = side.store.mailbox("INBOX");
    const UidSet one = {side.store.uids(inbox).min()};
    side.store.add_flags(inbox, one, make_flags("\\Draft"));
    must(side.store.account().store_flags(inbox, one, FlagChange::remove, make_flags("\\Draft")));
  }));
  const auto appended = [&](std::string content, std::int64_t date) {
    Side side(memory);
    const MailboxId inbox = side.store.mailbox("INBOX");
    side.store.append(inbox, content, {}, UnixTime{date});
    return told_everything(side, true);
  };
  CHECK(appended("octet", 5) == appended("octet", 5));
  CHECK(appended("octet", 5) != appended("octeT", 5));
  CHECK(appended("octet", 5) != appended("octet", 6));
}

}  // namespace
}  // namespace postkeep::test
