// The contract of storage/account_store.h, over every backend: append, fetch, flags, copy, move, expunge.
#include <doctest/doctest.h>

#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using storage::AppendItem;
using storage::CopyResult;
using storage::StoreResult;

UidSet all_but(const UidSet& set, Uid uid) { return set.subtract(UidSet{uid}); }

TEST_CASE("A message comes back byte for byte, whatever its bytes") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    std::string every_octet = "Subject: octets\r\n\r\n";
    for (int i = 0; i < 256; ++i) every_octet += static_cast<char>(i);
    const std::vector<std::string> contents = {sample_message(1),
                                               "",
                                               "\r\n",
                                               "no header, no line end",
                                               "bare\nline\rfeeds\n\n",
                                               every_octet,
                                               "Subject: long\r\n\r\n" + std::string(300'000, 'x') + "\r\n"};
    std::vector<Uid> uids;
    for (const std::string& content : contents) uids.push_back(store.append(inbox, content));
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      for (std::size_t i = 0; i < contents.size(); ++i) {
        CAPTURE(i);
        CHECK(store.content(inbox, uids[i]) == contents[i]);
        // As a listing asks, before anything else may have read the message; then together with everything.
        storage::FetchWants wants;
        wants.line_end = true;
        const bool complete = contents[i].empty() || contents[i].ends_with("\r\n");
        CHECK(must(store.account().fetch(inbox, UidSet{uids[i]}, wants)).at(0).ends_in_crlf == complete);
        CHECK(store.row(inbox, uids[i]).ends_in_crlf == complete);
        CHECK(store.row(inbox, uids[i]).size == contents[i].size());
      }
      if (round == 0) store.reopen();
      if (round == 1) store.reopen_without_index();
    }
  });
}

TEST_CASE("A reader gives any range, and fewer octets only at the end") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::string content = sample_message(1);
    const Uid uid = store.append(inbox, content);
    const auto reader = must(store.account().open_message(inbox, uid));
    CHECK(reader->size() == content.size());
    std::string bytes = "kept ";
    must(reader->read(10, 7, bytes));
    CHECK(bytes == "kept " + content.substr(10, 7));
    bytes.clear();
    must(reader->read(content.size() - 3, 100, bytes));
    CHECK(bytes == content.substr(content.size() - 3));
    bytes.clear();
    must(reader->read(content.size() + 5, 100, bytes));
    CHECK(bytes.empty());
  });
}

TEST_CASE("A reader goes on after its message was expunged and its mailbox deleted") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId box = store.mailbox("box");
    const std::string content = sample_message(1) + std::string(200'000, 'y');
    const Uid uid = store.append(box, content, make_flags("\\Deleted"));
    const auto reader = must(store.account().open_message(box, uid));
    std::string bytes;
    must(reader->read(0, 1'000, bytes));
    must(store.account().expunge(box, UidSet{uid}));
    must(store.account().delete_mailbox(StoreFixture::name("box")));
    for (int i = 0; i < 10; ++i) must(store.account().background_step());
    must(reader->read(bytes.size(), content.size(), bytes));
    CHECK(bytes == content);
  });
}

TEST_CASE("Files of several messages are found together and opened without the account") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId box = store.mailbox("box");
    const std::vector<std::string> contents = {sample_message(1), "", "x\r\n" + std::string(200'000, 'y')};
    UidSet uids;
    for (const std::string& content : contents) uids.add(store.append(box, content));
    const Uid absent(uids.max().value() + 1);
    uids.add(absent);
    const auto files = must(store.account().find_files(box, uids));
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const auto reader = must(files->open(uids.to_vector()[i]));
      CHECK(reader->size() == contents[i].size());
      std::string bytes = "kept ";
      must(reader->read(0, contents[i].size() + 1, bytes));
      CHECK((bytes == "kept " + contents[i]));
    }
    CHECK(kind_of(files->open(absent)) == ErrorKind::not_found);
    must(store.account().delete_mailbox(StoreFixture::name("box")));
    CHECK(kind_of(store.account().find_files(box, uids)) == ErrorKind::not_found);
  });
}

TEST_CASE("Rows are visited one after another until no more are wanted") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    std::vector<Uid> uids;
    for (int i = 0; i < 12; ++i) uids.push_back(store.append(inbox, sample_message(i)));
    // Gaps of expunged messages, and of messages that are there and not asked for.
    Flags deleted;
    deleted.set(SystemFlag::deleted);
    must(store.account().store_flags(inbox, UidSet{uids[1], uids[5]}, FlagChange::add, deleted));
    must(store.account().expunge(inbox, UidSet{uids[1], uids[5]}));
    const UidSet wanted = {uids[0], uids[1], uids[3], uids[4], uids[5], uids[11]};
    storage::FetchWants wants;
    wants.size = wants.envelope = wants.headers = true;
    for (const std::size_t limit : {6U, 2U}) {
      CAPTURE(limit);
      std::vector<Uid> visited;
      must(store.account().visit_rows(inbox, wanted, wants, [&](storage::MessageRow& row) {
        visited.push_back(row.uid);
        return visited.size() < limit;
      }));
      const std::vector<Uid> present = {uids[0], uids[3], uids[4], uids[11]};
      CHECK((visited == std::vector<Uid>(present.begin(), present.begin() + std::min<std::size_t>(limit, 4))));
    }
    std::vector<storage::MessageRow> rows = must(store.account().fetch(inbox, wanted, wants));
    for (const storage::MessageRow& row : rows) {
      CHECK(row.envelope == store.row(inbox, row.uid).envelope);
      CHECK(row.cached_headers == store.row(inbox, row.uid).cached_headers);
      CHECK(row.body_structure.empty());
    }
  });
}

TEST_CASE("Several messages are appended together: ascending UIDs in the order given") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const Uid before = store.status(inbox).uid_next;
    std::vector<AppendItem> items;
    items.push_back({store.incoming("one"), make_flags("\\Seen"), UnixTime{100}});
    items.push_back({store.incoming("two"), make_flags("\\Draft $Junk"), std::nullopt});
    items.push_back({store.incoming("three"), {}, UnixTime{-86'400}});
    const storage::AppendResult result = must(store.account().append(inbox, items));
    CHECK(result.uid_validity == store.status(inbox).uid_validity);
    const std::vector<Uid> uids = result.uids.to_vector();
    REQUIRE(uids.size() == 3);
    CHECK(uids[0] >= before);
    CHECK(store.status(inbox).uid_next > uids[2]);
    CHECK(store.content(inbox, uids[0]) == "one");
    CHECK(store.content(inbox, uids[1]) == "two");
    CHECK(store.content(inbox, uids[2]) == "three");
    CHECK(store.flags(inbox, uids[0]) == make_flags("\\Seen"));
    CHECK(store.flags(inbox, uids[1]) == make_flags("\\Draft $Junk"));
    CHECK(store.flags(inbox, uids[2]).empty());
    CHECK(store.row(inbox, uids[0]).internal_date == UnixTime{100});
    CHECK(store.row(inbox, uids[1]).internal_date == store.clock().seconds());
    CHECK(store.row(inbox, uids[2]).internal_date == UnixTime{-86'400});
    CHECK(store.row(inbox, uids[0]).save_date == store.clock().seconds());
  });
}

TEST_CASE("An append of which one message cannot be kept leaves nothing of the others") {
  storage::StoreOptions options;
  options.keywords_max = 2;
  over_each_backend(
      [](StoreFixture& store) {
        const MailboxId inbox = store.mailbox("INBOX");
        const auto before = store.version(inbox);
        const int told = store.changes();
        std::vector<AppendItem> items;
        items.push_back({store.incoming("one"), make_flags("$A"), std::nullopt});
        items.push_back({store.incoming("two"), make_flags("$B $C"), std::nullopt});
        CHECK(kind_of(store.account().append(inbox, items)) == ErrorKind::limit);
        CHECK(diff(*before, *store.version(inbox)).empty());
        CHECK(store.status(inbox).messages == 0);
        CHECK(store.changes() == told);
        store.reopen_without_index();
        CHECK(store.status(inbox).messages == 0);
      },
      options);
}

TEST_CASE("An append of nothing is nothing") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    CHECK(must(store.account().append(inbox, {})).uids.empty());
    CHECK(store.status(inbox).messages == 0);
  });
}

TEST_CASE("One incoming message can be appended to several mailboxes and to several accounts") {
  over_each_backend([](StoreFixture& store) {
    const auto message = must(store.store().begin_incoming(1'000));
    must(message->write("Subject: to all\r\n"));
    must(message->write("\r\nhello\r\n"));
    must(message->finish());
    CHECK(message->size() == 26);
    const auto other = must(store.store().open("uma", nullptr));
    const MailboxId theirs = must(other->find_mailbox(MailboxName::inbox())).id;
    const UidSet in_theirs = must(other->append(theirs, {{message, make_flags("\\Flagged"), std::nullopt}})).uids;
    for (const char* name : {"INBOX", "two"}) {
      const MailboxId box = store.mailbox(name);
      const UidSet uids = must(store.account().append(box, {{message, {}, std::nullopt}})).uids;
      CHECK(store.content(box, uids.min()) == "Subject: to all\r\n\r\nhello\r\n");
      // A change of one is a change of that one only.
      store.add_flags(box, uids, make_flags("\\Deleted"));
      must(store.account().expunge(box, uids));
    }
    for (int i = 0; i < 5; ++i) must(store.account().background_step());
    std::string bytes;
    must(must(other->open_message(theirs, in_theirs.min()))->read(0, 100, bytes));
    CHECK(bytes == "Subject: to all\r\n\r\nhello\r\n");
    must(other->close());
  });
}

TEST_CASE("A part with NUL is encoded when that is asked for, before the end") {
  over_each_backend([](StoreFixture& store) {
    const auto message = must(store.store().begin_incoming(1'000));
    must(message->write("Subject: x\r\nContent-Transfer-Encoding: binary\r\n"));
    must(message->write(std::string("\r\na\0b", 5)));
    must(message->encode_binary_parts());
    must(message->finish());
    const std::string expected = "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi";
    CHECK(message->size() == expected.size());
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = must(store.account().append(inbox, {{message, {}, std::nullopt}})).uids;
    CHECK(store.content(inbox, uids.min()) == expected);
  });
}

TEST_CASE("An incoming message over its limit is refused at the octet too many") {
  over_each_backend([](StoreFixture& store) {
    const auto message = must(store.account().begin_incoming(10));
    must(message->write("12345"));
    must(message->write("67890"));
    CHECK(kind_of(message->write("1")) == ErrorKind::too_big);
  });
}

TEST_CASE("A row has what was wanted, computed from the message") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::string content =
        "Received: by example.org; Sun, 01 Mar 2026 10:00:00 +0000\r\n"
        "From: Ada <ada@example.org>\r\nSubject: a\r\n folded subject\r\nX-Other: not cached\r\n"
        "Message-ID: <2@example.org>\r\nReferences: <1@example.org>\r\n <1b@example.org>\r\n\r\ntext\r\n";
    const Uid uid = store.append(inbox, content);
    const storage::MessageRow row = store.row(inbox, uid);
    CHECK(row.uid == uid);
    CHECK(row.size == content.size());
    CHECK(row.envelope.find("\"a folded subject\"") != std::string::npos);
    CHECK(row.envelope.find("(\"Ada\" NIL \"ada\" \"example.org\")") != std::string::npos);
    CHECK(row.body_structure.starts_with("(\"text\" \"plain\""));
    REQUIRE(row.cached_headers);
    CHECK(*row.cached_headers ==
          "From: Ada <ada@example.org>\r\nSubject: a\r\n folded subject\r\nMessage-ID: <2@example.org>\r\n"
          "References: <1@example.org>\r\n <1b@example.org>\r\n");
    // Nothing that was not asked for.
    const auto bare = must(store.account().fetch(inbox, UidSet{uid}, {})).at(0);
    CHECK(bare.uid == uid);
    CHECK(bare.envelope.empty());
    CHECK(bare.body_structure.empty());
    CHECK_FALSE(bare.cached_headers);
  });
}

TEST_CASE("Equal messages have one EMAILID; replies have the THREADID of the message they go back to") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("other");
    const auto row_of = [&](MailboxId box, const std::string& content) {
      return store.row(box, store.append(box, content));
    };
    const auto root = row_of(inbox, "Message-ID: <a@x>\r\n\r\n1");
    const auto again = row_of(other, "Message-ID: <a@x>\r\n\r\n1");
    const auto reply = row_of(inbox, "Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\n\r\n2");
    const auto far_reply = row_of(inbox, "Message-ID: <c@x>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\n\r\n3");
    const auto stranger = row_of(inbox, "Subject: none\r\n\r\n4");
    CHECK(root.email_id == again.email_id);
    CHECK(root.email_id != reply.email_id);
    CHECK(root.thread_id == again.thread_id);
    CHECK(root.thread_id == reply.thread_id);
    CHECK(root.thread_id == far_reply.thread_id);
    CHECK(stranger.thread_id != root.thread_id);
    CHECK(stranger.thread_id.bytes == stranger.email_id.bytes);
  });
}

TEST_CASE("Fetching gives rows in ascending UIDs for those that are there") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::vector<Uid> uids = store.append_many(inbox, 5).to_vector();
    store.add_flags(inbox, UidSet{uids[2]}, make_flags("\\Deleted"));
    must(store.account().expunge(inbox, UidSet{uids[2]}));
    const UidSet asked = UidSet::of_range(uids[1], Uid(uids[4].value() + 1'000));
    std::vector<Uid> got;
    for (const auto& row : must(store.account().fetch(inbox, asked, {}))) got.push_back(row.uid);
    CHECK(got == std::vector<Uid>{uids[1], uids[3], uids[4]});
    CHECK(kind_of(store.account().open_message(inbox, uids[2])) == ErrorKind::expunge_issued);
  });
}

TEST_CASE("STORE adds, removes and replaces; only messages that become different are changed") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 4);
    const Uid first = uids.min();
    store.add_flags(inbox, UidSet{first}, make_flags("\\Seen"));
    const StoreResult added = store.add_flags(inbox, uids, make_flags("\\Seen $Work"));
    CHECK(added.changed == uids);  // the first one for $Work
    CHECK(added.modified.empty());
    CHECK(store.add_flags(inbox, uids, make_flags("\\Seen")).changed.empty());
    const auto removed =
        must(account.store_flags(inbox, UidSet{first}, FlagChange::remove, make_flags("\\Seen $None")));
    CHECK(removed.changed == UidSet{first});
    CHECK(store.flags(inbox, first) == make_flags("$Work"));
    must(account.store_flags(inbox, uids, FlagChange::replace, make_flags("\\Draft \\Answered")));
    uids.for_each([&](Uid uid) { CHECK(store.flags(inbox, uid) == make_flags("\\Draft \\Answered")); });
    must(account.store_flags(inbox, uids, FlagChange::replace, Flags()));
    uids.for_each([&](Uid uid) { CHECK(store.flags(inbox, uid).empty()); });
    // UIDs that are not there are ignored.
    CHECK(store.add_flags(inbox, UidSet{Uid(4'000'000)}, make_flags("\\Seen")).changed.empty());
  });
}

TEST_CASE("Flags and keywords survive a restart and a lost index") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::vector<Uid> uids = store.append_many(inbox, 40).to_vector();
    // More keywords than a file name has letters for.
    for (std::size_t i = 0; i < uids.size(); ++i) {
      store.add_flags(inbox, UidSet{uids[i]}, make_flags("\\Answered Keyword" + std::to_string(i) + " $Forwarded"));
    }
    const Flags all = make_flags("\\Answered \\Flagged \\Deleted \\Seen \\Draft $MDNSent");
    store.add_flags(inbox, UidSet{uids[7]}, all);
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      if (round == 0) store.reopen();
      if (round == 1) store.reopen_without_index();
      for (std::size_t i = 0; i < uids.size(); ++i) {
        Flags wanted = make_flags("\\Answered Keyword" + std::to_string(i) + " $Forwarded");
        if (i == 7) wanted.add(all);
        CHECK(store.flags(inbox, uids[i]).to_wire() == wanted.to_wire());
      }
    }
  });
}

TEST_CASE("Keywords ignore case and keep the spelling that the mailbox saw first") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const Uid first = store.append(inbox, "1", make_flags("$Work"));
    const Uid second = store.append(inbox, "2", make_flags("$WORK"));
    CHECK(store.flags(inbox, second).to_wire() == "$Work");
    CHECK(store.add_flags(inbox, UidSet{first}, make_flags("$work")).changed.empty());
    const auto removed =
        must(store.account().store_flags(inbox, UidSet{first}, FlagChange::remove, make_flags("$wOrK")));
    CHECK(removed.changed == UidSet{first});
    CHECK(store.flags(inbox, first).empty());
    CHECK(store.version(inbox)->facts().keywords == std::vector<std::string>{"$Work"});
    // In another mailbox the spelling is that of that mailbox.
    const MailboxId other = store.mailbox("other");
    store.append(other, "3", make_flags("$woRK"));
    const CopyResult copied = must(store.account().copy(inbox, UidSet{second}, other));
    CHECK(store.flags(other, copied.target.min()).to_wire() == "$woRK");
  });
}

TEST_CASE("A keyword too many is refused and nothing is changed") {
  storage::StoreOptions options;
  options.keywords_max = 3;
  over_each_backend(
      [](StoreFixture& store) {
        const MailboxId inbox = store.mailbox("INBOX");
        const UidSet uids = store.append_many(inbox, 2);
        store.add_flags(inbox, uids, make_flags("$A $B $C"));
        const auto before = store.version(inbox);
        CHECK(kind_of(store.account().store_flags(inbox, uids, FlagChange::add, make_flags("\\Seen $D"))) ==
              ErrorKind::limit);
        CHECK(diff(*before, *store.version(inbox)).empty());
        CHECK(store.flags(inbox, uids.min()).to_wire() == "$A $B $C");
        // Known ones still work, in any case.
        CHECK(store.add_flags(inbox, uids, make_flags("$a \\Seen")).changed == uids);
        const MailboxId other = store.mailbox("other");
        store.append(other, "x", make_flags("$X $Y"));
        CHECK(kind_of(store.account().copy(inbox, uids, other)) == ErrorKind::limit);
        CHECK(store.status(other).messages == 1);
        CHECK(kind_of(store.account().move(inbox, uids, other)) == ErrorKind::limit);
        CHECK(store.status(other).messages == 1);
        CHECK(store.status(inbox).messages == 2);
      },
      options);
}

TEST_CASE("STORE UNCHANGEDSINCE leaves alone what changed since, and says so") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 3);
    const ModSeq known = store.version(inbox)->facts().highest_modseq;
    const Uid middle(uids.min().value() + 1);
    store.add_flags(inbox, UidSet{middle}, make_flags("\\Flagged"));
    const auto result = must(store.account().store_flags(inbox, uids, FlagChange::add, make_flags("\\Seen"), known));
    CHECK(result.changed == all_but(uids, middle));
    CHECK(result.modified == UidSet{middle});
    CHECK(store.flags(inbox, middle) == make_flags("\\Flagged"));
    const ModSeq now = store.version(inbox)->facts().highest_modseq;
    const auto again = must(store.account().store_flags(inbox, uids, FlagChange::add, make_flags("\\Seen"), now));
    CHECK(again.changed == UidSet{middle});
    CHECK(again.modified.empty());
  });
}

TEST_CASE("COPY takes flags, keywords, internal date and bytes along; the save date is new") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId target = store.mailbox("target");
    store.append_many(target, 3);
    const Uid one = store.append(inbox, sample_message(1), make_flags("\\Seen $Work"), UnixTime{1'000'000'000});
    const Uid two = store.append(inbox, sample_message(2), make_flags("\\Deleted"), UnixTime{2});
    store.clock().advance(std::chrono::hours(3));
    const CopyResult result = must(store.account().copy(inbox, UidSet{one, two, Uid(two.value() + 50)}, target));
    CHECK(result.uid_validity == store.status(target).uid_validity);
    CHECK(result.source == UidSet{one, two});
    REQUIRE(result.target.size() == 2);
    const Uid copy_one = result.target.min();
    const Uid copy_two = result.target.max();
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      CHECK(store.content(target, copy_one) == sample_message(1));
      CHECK(store.content(target, copy_two) == sample_message(2));
      CHECK(store.flags(target, copy_one) == make_flags("\\Seen $Work"));
      CHECK(store.flags(target, copy_two) == make_flags("\\Deleted"));
      CHECK(store.row(target, copy_one).internal_date == UnixTime{1'000'000'000});
      CHECK(store.row(target, copy_one).save_date == store.clock().seconds());
      CHECK(store.row(target, copy_one).email_id == store.row(inbox, one).email_id);
      CHECK(store.status(inbox).messages == 2);
      CHECK(store.status(target).messages == 5);
      store.reopen_without_index();
    }
  });
}

TEST_CASE("A copy and its original live apart") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("other");
    const Uid uid = store.append(inbox, sample_message(1));
    const Uid copy = must(store.account().copy(inbox, UidSet{uid}, other)).target.min();
    store.add_flags(inbox, UidSet{uid}, make_flags("\\Deleted"));
    CHECK(store.flags(other, copy).empty());
    must(store.account().expunge(inbox, UidSet{uid}));
    for (int i = 0; i < 5; ++i) must(store.account().background_step());
    CHECK(store.content(other, copy) == sample_message(1));
  });
}

TEST_CASE("COPY within one mailbox doubles the messages") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 3);
    const CopyResult result = must(store.account().copy(inbox, uids, inbox));
    CHECK(result.source == uids);
    CHECK(result.target.size() == 3);
    CHECK(result.target.min() > uids.max());
    CHECK(store.uids(inbox) == uids.union_with(result.target));
    CHECK(store.content(inbox, result.target.max()) == sample_message(2));
  });
}

TEST_CASE("COPY and MOVE of nothing that is there change nothing") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("other");
    const auto before = store.version(other);
    const int told = store.changes();
    const CopyResult copied = must(store.account().copy(inbox, uid_set({1, 2}), other));
    CHECK(copied.source.empty());
    CHECK(copied.target.empty());
    CHECK(must(store.account().move(inbox, uid_set({1, 2}), other)).source.empty());
    CHECK(diff(*before, *store.version(other)).empty());
    CHECK(store.changes() == told);
  });
}

TEST_CASE("MOVE takes messages away from where they were, with flags and dates") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId target = store.mailbox("target");
    const UidSet stay = store.append_many(inbox, 2);
    const Uid uid = store.append(inbox, sample_message(9), make_flags("\\Flagged Tag"), UnixTime{77});
    const ModSeq before = store.version(inbox)->facts().highest_modseq;
    const CopyResult result = must(store.account().move(inbox, UidSet{uid}, target));
    CHECK(result.source == UidSet{uid});
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      const Uid moved = result.target.min();
      CHECK(store.uids(inbox) == stay);
      CHECK(store.content(target, moved) == sample_message(9));
      CHECK(store.flags(target, moved) == make_flags("\\Flagged Tag"));
      CHECK(store.row(target, moved).internal_date == UnixTime{77});
      if (round == 0) CHECK(must(store.account().expunged_since(inbox, before)) == UidSet{uid});
      store.reopen_without_index();
    }
  });
}

TEST_CASE("MOVE within one mailbox gives new UIDs") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const UidSet uids = store.append_many(inbox, 3);
    const CopyResult result = must(store.account().move(inbox, UidSet{uids.min()}, inbox));
    CHECK(result.target.min() > uids.max());
    CHECK(store.uids(inbox) == all_but(uids, uids.min()).union_with(result.target));
    CHECK(store.content(inbox, result.target.min()) == sample_message(0));
  });
}

TEST_CASE("EXPUNGE removes what has \\Deleted and is named, and nothing else") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const std::vector<Uid> uids = store.append_many(inbox, 5).to_vector();
    store.add_flags(inbox, UidSet{uids[0], uids[2], uids[4]}, make_flags("\\Deleted"));
    CHECK(must(store.account().expunge(inbox, UidSet::of_range(uids[0], uids[3]))) == UidSet{uids[0], uids[2]});
    CHECK(store.uids(inbox) == UidSet{uids[1], uids[3], uids[4]});
    CHECK(must(store.account().expunge(inbox, UidSet{uids[1]})).empty());
    for (int i = 0; i < 5; ++i) must(store.account().background_step());
    store.reopen_without_index();
    CHECK(store.uids(inbox) == UidSet{uids[1], uids[3], uids[4]});
    CHECK(store.status(inbox).deleted == 1);
  });
}

TEST_CASE("Expunged mail does not rise again, and its UID is not given again") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    Uid highest;
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      const Uid uid = store.append(inbox, sample_message(1), make_flags("\\Deleted"));
      CHECK(uid > highest);
      highest = uid;
      must(store.account().expunge(inbox, UidSet{uid}));
      if (round == 1) store.reopen();
      if (round == 2) store.reopen_without_index();
      CHECK(store.uids(inbox).empty());
    }
  });
}

TEST_CASE("Everything of 300 messages is there after a restart and after a lost index") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId box = store.mailbox("many");
    const UidSet uids = store.append_many(box, 300);
    store.add_flags(box, UidSet::of_range(uids.min(), Uid(uids.min().value() + 99)), make_flags("\\Seen $Old"));
    std::vector<storage::MessageRow> before;
    uids.for_each([&](Uid uid) { before.push_back(store.row(box, uid)); });
    const storage::MailboxStatus status = store.status(box);
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      if (round == 0) store.reopen();
      if (round == 1) store.reopen_without_index();
      REQUIRE(store.uids(box) == uids);
      CHECK(store.status(box).uid_validity == status.uid_validity);
      CHECK(store.status(box).uid_next >= status.uid_next);
      CHECK(store.status(box).highest_modseq >= status.highest_modseq);
      CHECK(store.status(box).unseen == 200);
      CHECK(store.status(box).size == status.size);
      std::size_t different = 0;
      for (const storage::MessageRow& old : before) {
        const storage::MessageRow now = store.row(box, old.uid);
        const bool same = now.internal_date == old.internal_date && now.save_date == old.save_date &&
                          now.size == old.size && now.email_id == old.email_id && now.thread_id == old.thread_id &&
                          now.envelope == old.envelope && now.body_structure == old.body_structure &&
                          now.cached_headers == old.cached_headers;
        if (!same) ++different;
      }
      CHECK(different == 0);
    }
  });
}

TEST_CASE("REPLACE appends one message and removes another, whatever its flags") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("Other");
    for (const MailboxId to : {inbox, other}) {
      const Uid old = store.append(inbox, sample_message(1));
      const Uid kept = store.append(inbox, sample_message(2));
      const ModSeq before = must(store.account().version(inbox))->facts().highest_modseq;
      const AppendItem item{store.incoming(sample_message(3)), {}, std::nullopt};
      const UidSet made = must(store.account().replace(inbox, old, to, item)).uids;
      REQUIRE(made.size() == 1);
      CHECK(store.content(to, made.min()) == sample_message(3));
      CHECK_FALSE(store.uids(inbox).contains(old));
      CHECK(store.uids(inbox).contains(kept));
      CHECK(must(store.account().expunged_since(inbox, before)).contains(old));
      CHECK(must(store.account().version(inbox))->facts().highest_modseq > before);
    }
  });
}

TEST_CASE("REPLACE of what is gone, or to where nothing is, changes nothing") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("Other");
    const Uid uid = store.append(inbox, sample_message(1));
    const AppendItem item{store.incoming(sample_message(2)), {}, std::nullopt};
    CHECK(kind_of(store.account().replace(inbox, Uid(uid.value() + 1), other, item)) == ErrorKind::expunge_issued);
    CHECK(kind_of(store.account().replace(inbox, uid, MailboxId(9999), item)) == ErrorKind::not_found);
    CHECK(store.uids(inbox) == UidSet{uid});
    CHECK(store.uids(other).empty());
  });
}

}  // namespace
}  // namespace postkeep::test
