// The contract of storage/account_store.h, over every backend: versions, modseqs, recent, status, the listener.
#include <doctest/doctest.h>

#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using storage::MailboxVersionPtr;
using storage::VersionDiff;

TEST_CASE("The difference of two versions says what was added, changed and expunged between them") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::vector<Uid> uids = store.append_many(inbox, 4).to_vector();
    const MailboxVersionPtr before = store.version(inbox);
    store.add_flags(inbox, UidSet{uids[1], uids[3]}, make_flags("\\Seen \\Deleted"));
    must(store.account().expunge(inbox, UidSet{uids[3]}));
    const Uid arrived = store.append(inbox, sample_message(9));
    const Uid gone = store.append(inbox, sample_message(10), make_flags("\\Deleted"));
    must(store.account().expunge(inbox, UidSet{gone}));
    const VersionDiff difference = diff(*before, *store.version(inbox));
    CHECK(difference.added == UidSet{arrived});
    CHECK(difference.changed == UidSet{uids[1]});
    CHECK(difference.expunged == UidSet{uids[3]});
    // The version that a session holds stays what it was.
    CHECK(before->count() == 4);
    CHECK(before->flags_of(*before->find(uids[1])).empty());
  });
}

TEST_CASE("A version where nothing changed differs in nothing") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    store.append_many(inbox, 3);
    const MailboxVersionPtr before = store.version(inbox);
    must(store.account().refresh(inbox));
    must(store.account().background_step());
    const MailboxVersionPtr after = store.version(inbox);
    CHECK(diff(*before, *after).empty());
    CHECK(before->facts().highest_modseq == after->facts().highest_modseq);
  });
}

TEST_CASE("Every change of a mailbox has a greater modseq, and HIGHESTMODSEQ counts expunges too") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const auto highest = [&] { return store.version(inbox)->facts().highest_modseq; };
    const ModSeq empty = highest();
    const UidSet uids = store.append_many(inbox, 3);
    const ModSeq filled = highest();
    CHECK(filled > empty);
    store.add_flags(inbox, UidSet{uids.min()}, make_flags("\\Deleted"));
    const ModSeq flagged = highest();
    CHECK(flagged > filled);
    CHECK(store.version(inbox)->find(uids.min())->modseq == flagged);
    CHECK(store.version(inbox)->find(uids.max())->modseq <= filled);
    must(store.account().expunge(inbox, uids));
    const ModSeq expunged = highest();
    CHECK(expunged > flagged);
    CHECK(store.status(inbox).highest_modseq == expunged);
    store.reopen();
    CHECK(highest() >= expunged);
    const ModSeq reopened = highest();
    store.append_many(inbox, 1);
    CHECK(highest() > reopened);
  });
}

TEST_CASE("Modseqs are below 2^63 and above zero, and belong to the messages") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    store.append_many(inbox, 10);
    const MailboxVersionPtr version = store.version(inbox);
    version->for_each([&](SeqNum, const storage::MessageState& message) {
      CHECK(message.modseq.value() >= 1);
      CHECK(message.modseq.value() < (1ULL << 63));
      CHECK(message.modseq <= version->facts().highest_modseq);
    });
  });
}

TEST_CASE("A version's facts are those of STATUS") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 5);
    store.add_flags(inbox, UidSet{uids.min()}, make_flags("\\Seen \\Deleted"));
    const storage::MailboxStatus status = store.status(inbox);
    const MailboxVersionPtr version = store.version(inbox);
    CHECK(version->facts().mailbox == inbox);
    CHECK(version->facts().uid_validity == status.uid_validity);
    CHECK(version->facts().uid_next == status.uid_next);
    CHECK(version->facts().highest_modseq == status.highest_modseq);
    CHECK(version->count() == status.messages);
    CHECK(version->unseen() == status.unseen);
    CHECK(version->count_deleted() == status.deleted);
    CHECK(status.unseen == 4);
    CHECK(status.deleted == 1);
    std::uint64_t octets = 0;
    uids.for_each([&](Uid uid) { octets += store.content(inbox, uid).size(); });
    CHECK(status.size == octets);
    must(store.account().expunge(inbox, uids));
    CHECK(store.status(inbox).size == octets - store.content(inbox, uids.max()).size());
  });
}

TEST_CASE("A message is recent to the first who claims it and to nobody after") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 3);
    CHECK(store.status(inbox).recent == 3);
    const Uid first = must(store.account().claim_recent(inbox));
    CHECK(first <= uids.min());
    CHECK(store.status(inbox).recent == 0);
    CHECK(must(store.account().claim_recent(inbox)) > uids.max());
    const Uid late = store.append(inbox, sample_message(7));
    CHECK(store.status(inbox).recent == 1);
    const Uid claimed = must(store.account().claim_recent(inbox));
    CHECK(claimed <= late);
    CHECK(claimed > uids.max());
    store.reopen();
    CHECK(store.status(inbox).recent == 0);
    CHECK(must(store.account().claim_recent(inbox)) > late);
  });
}

TEST_CASE("What was expunged since a modseq is told, and nothing that was not") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::vector<Uid> uids = store.append_many(inbox, 6).to_vector();
    std::vector<ModSeq> marks;
    for (std::size_t i = 0; i < 3; ++i) {
      marks.push_back(store.version(inbox)->facts().highest_modseq);
      store.add_flags(inbox, UidSet{uids[i]}, make_flags("\\Deleted"));
      must(store.account().expunge(inbox, UidSet{uids[i]}));
    }
    CHECK(must(store.account().expunged_since(inbox, marks[0])) == UidSet{uids[0], uids[1], uids[2]});
    CHECK(must(store.account().expunged_since(inbox, marks[2])) == UidSet{uids[2]});
    CHECK(must(store.account().expunged_since(inbox, store.version(inbox)->facts().highest_modseq)).empty());
    store.reopen();
    CHECK(must(store.account().expunged_since(inbox, marks[1])) == UidSet{uids[1], uids[2]});
  });
}

TEST_CASE("After a lost index everything expunged below UIDNEXT is told, and no message that is there") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::vector<Uid> uids = store.append_many(inbox, 5).to_vector();
    const ModSeq known = store.version(inbox)->facts().highest_modseq;
    store.add_flags(inbox, UidSet{uids[1], uids[3]}, make_flags("\\Deleted"));
    must(store.account().expunge(inbox, UidSet{uids[1], uids[3]}));
    store.reopen_without_index();
    const UidSet told = must(store.account().expunged_since(inbox, known));
    CHECK(told.contains(uids[1]));
    CHECK(told.contains(uids[3]));
    CHECK(told.intersect(store.uids(inbox)).empty());
  });
}

TEST_CASE("The listener is told of each change after it, and not of what changes nothing") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("other");
    int before = store.changes();
    const auto told = [&] {
      const bool more = store.changes() > before;
      before = store.changes();
      return more;
    };
    const UidSet uids = store.append_many(inbox, 3);
    CHECK(told());
    store.add_flags(inbox, uids, make_flags("\\Seen"));
    CHECK(told());
    store.add_flags(inbox, uids, make_flags("\\Seen"));
    CHECK_FALSE(told());
    must(account.copy(inbox, UidSet{uids.min()}, other));
    CHECK(told());
    must(account.move(inbox, UidSet{uids.min()}, other));
    CHECK(told());
    must(account.expunge(inbox, uids));
    CHECK_FALSE(told());
    store.add_flags(inbox, uids, make_flags("\\Deleted"));
    CHECK(told());
    must(account.expunge(inbox, uids));
    CHECK(told());
    must(account.create_mailbox(StoreFixture::name("new")));
    CHECK(told());
    must(account.rename_mailbox(StoreFixture::name("new"), StoreFixture::name("newer")));
    CHECK(told());
    must(account.subscribe(StoreFixture::name("newer")));
    CHECK(told());
    must(account.delete_mailbox(StoreFixture::name("newer")));
    CHECK(told());
    must(account.list_mailboxes());
    must(account.version(inbox));
    must(account.status(inbox));
    CHECK_FALSE(told());
  });
}

TEST_CASE("UIDs only ascend, over appends, copies, moves and restarts") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("other");
    Uid highest;
    for (int round = 0; round < 5; ++round) {
      const Uid appended = store.append(inbox, sample_message(1));
      CHECK(appended > highest);
      const Uid copied = must(store.account().copy(inbox, UidSet{appended}, inbox)).target.min();
      CHECK(copied > appended);
      const UidSet away = must(store.account().move(inbox, UidSet{copied}, other)).target;
      const Uid back = must(store.account().move(other, away, inbox)).target.min();
      CHECK(back > copied);
      highest = back;
      CHECK(store.status(inbox).uid_next > highest);
      if (round == 1) store.reopen();
      if (round == 3) store.reopen_without_index();
    }
  });
}

TEST_CASE("Background work comes to rest") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 20);
    store.add_flags(inbox, uids, make_flags("\\Seen $Tag \\Deleted"));
    must(store.account().expunge(inbox, UidSet::of_range(uids.min(), Uid(uids.min().value() + 9))));
    bool rested = false;
    for (int step = 0; step < 200 && !rested; ++step) {
      const storage::BackgroundState state = must(store.account().background_step());
      rested = !state.due_in;
      if (state.due_in) store.clock().advance(*state.due_in);
    }
    CHECK(rested);
    CHECK(store.uids(inbox).size() == 10);
    CHECK(store.flags(inbox, uids.max()) == make_flags("\\Seen $Tag \\Deleted"));
  });
}

}  // namespace
}  // namespace postkeep::test
