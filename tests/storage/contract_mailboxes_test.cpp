// The contract of storage/account_store.h, over every backend: mailboxes, hierarchy, subscriptions, accounts.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using storage::Mailbox;

std::vector<std::string> listed(StoreFixture& store) {
  std::vector<std::string> names;
  for (const Mailbox& mailbox : must(store.account().list_mailboxes())) {
    names.push_back(mailbox.name.utf8() + (mailbox.exists ? "" : " (gone)") +
                    (mailbox.subscribed ? " (subscribed)" : ""));
  }
  return names;
}

using Names = std::vector<std::string>;

MailboxName name(std::string_view utf8) { return StoreFixture::name(utf8); }

TEST_CASE("A new account has INBOX and nothing else, not subscribed") {
  over_each_backend([](StoreFixture& store) {
    CHECK(listed(store) == Names{"INBOX"});
    const Mailbox inbox = must(store.account().find_mailbox(MailboxName::inbox()));
    CHECK(inbox.exists);
    CHECK(inbox.id.value() != 0);
    CHECK(inbox.uid_validity.value() != 0);
    const storage::MailboxStatus status = store.status(inbox.id);
    CHECK(status.messages == 0);
    CHECK(status.uid_next.value() >= 1);
    CHECK(status.highest_modseq.value() >= 1);
  });
}

TEST_CASE("CREATE makes missing superiors, and the list is sorted by name") {
  over_each_backend([](StoreFixture& store) {
    const Mailbox made = must(store.account().create_mailbox(name("work/2026/March")));
    CHECK(made.name == name("work/2026/March"));
    CHECK(made.exists);
    CHECK_FALSE(made.subscribed);
    must(store.account().create_mailbox(name("Zoo")));
    CHECK(listed(store) == Names{"INBOX", "Zoo", "work", "work/2026", "work/2026/March"});
    CHECK(must(store.account().find_mailbox(name("work/2026/March"))).id == made.id);
  });
}

TEST_CASE("Names that differ in case are different mailboxes, INBOX and its inferiors apart") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId small = store.mailbox("drafts");
    const MailboxId large = store.mailbox("Drafts");
    CHECK(small != large);
    CHECK(store.mailbox("inbox") == store.mailbox("INBOX"));
    CHECK(store.mailbox("Inbox/a") == store.mailbox("INBOX/a"));
  });
}

TEST_CASE("Names in any script, with dots, tildes, ampersands and spaces come back as they were") {
  over_each_backend([](StoreFixture& store) {
    Names wanted = {"INBOX"};
    for (const char* utf8 : {"R&D", "a.b", "dot./.dot", "~root",
                             "Gr\xC3\xBC\xC3\x9F"
                             "e",
                             "\xE5\x8F\xB0\xE5\x8C\x97/\xE6\x97\xA5\xE6\x9C\xAC", "two words", "100%", "star*",
                             "quote\"d", "back\\slash", "&AC4-", "\xF0\x9F\x93\xAC"}) {
      must(store.account().create_mailbox(name(utf8)));
      wanted.emplace_back(utf8);
    }
    wanted.emplace_back("dot.");
    wanted.emplace_back("\xE5\x8F\xB0\xE5\x8C\x97");
    std::sort(wanted.begin(), wanted.end());
    CHECK(listed(store) == wanted);
    store.reopen();
    CHECK(listed(store) == wanted);
    store.reopen_without_index();
    CHECK(listed(store) == wanted);
  });
}

TEST_CASE("Errors of CREATE, DELETE, RENAME and finding are of the documented kinds") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    store.mailbox("there");
    CHECK(kind_of(account.create_mailbox(name("there"))) == ErrorKind::already_exists);
    CHECK(kind_of(account.create_mailbox(MailboxName::inbox())) == ErrorKind::already_exists);
    CHECK(kind_of(account.find_mailbox(name("nowhere"))) == ErrorKind::not_found);
    CHECK(kind_of(account.delete_mailbox(name("nowhere"))) == ErrorKind::not_found);
    CHECK(kind_of(account.delete_mailbox(MailboxName::inbox())) == ErrorKind::cannot);
    CHECK(kind_of(account.rename_mailbox(name("nowhere"), name("x"))) == ErrorKind::not_found);
    CHECK(kind_of(account.rename_mailbox(name("there"), MailboxName::inbox())) == ErrorKind::already_exists);
    CHECK(kind_of(account.rename_mailbox(name("there"), name("there"))) == ErrorKind::already_exists);
    CHECK(kind_of(account.rename_mailbox(name("there"), name("there/below"))) == ErrorKind::cannot);
    CHECK(kind_of(account.set_special_use(name("nowhere"), SpecialUse::sent)) == ErrorKind::not_found);
    CHECK(listed(store) == Names{"INBOX", "there"});
  });
}

TEST_CASE("What a call on a deleted mailbox says is not_found, whatever the call") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId gone = store.mailbox("gone");
    const Uid uid = store.append(gone, sample_message(1));
    must(account.delete_mailbox(name("gone")));
    const UidSet one = {uid};
    CHECK(kind_of(account.status(gone)) == ErrorKind::not_found);
    CHECK(kind_of(account.version(gone)) == ErrorKind::not_found);
    CHECK(kind_of(account.claim_recent(gone)) == ErrorKind::not_found);
    CHECK(kind_of(account.refresh(gone)) == ErrorKind::not_found);
    CHECK(kind_of(account.expunged_since(gone, ModSeq(1))) == ErrorKind::not_found);
    CHECK(kind_of(account.fetch(gone, one, {})) == ErrorKind::not_found);
    CHECK(kind_of(account.open_message(gone, uid)) == ErrorKind::not_found);
    CHECK(kind_of(account.store_flags(gone, one, FlagChange::add, make_flags("\\Seen"))) == ErrorKind::not_found);
    CHECK(kind_of(account.copy(gone, one, inbox)) == ErrorKind::not_found);
    CHECK(kind_of(account.copy(inbox, one, gone)) == ErrorKind::not_found);
    CHECK(kind_of(account.move(gone, one, inbox)) == ErrorKind::not_found);
    CHECK(kind_of(account.move(inbox, one, gone)) == ErrorKind::not_found);
    CHECK(kind_of(account.expunge(gone, one)) == ErrorKind::not_found);
    CHECK(kind_of(account.search(gone, SearchKey(), one)) == ErrorKind::not_found);
    CHECK(kind_of(account.append(gone, {{store.incoming("x"), {}, std::nullopt}})) == ErrorKind::not_found);
  });
}

TEST_CASE("A deleted mailbox with inferiors leaves its name, and can be made again") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId before = store.mailbox("a/b");
    const MailboxId below = store.mailbox("a/b/c");
    must(store.account().delete_mailbox(name("a/b")));
    CHECK(listed(store) == Names{"INBOX", "a", "a/b (gone)", "a/b/c"});
    CHECK(kind_of(store.account().find_mailbox(name("a/b"))) == ErrorKind::not_found);
    store.reopen();
    CHECK(listed(store) == Names{"INBOX", "a", "a/b (gone)", "a/b/c"});
    must(store.account().create_mailbox(name("a/b")));
    CHECK(listed(store) == Names{"INBOX", "a", "a/b", "a/b/c"});
    CHECK(store.mailbox("a/b") != before);
    CHECK(store.mailbox("a/b/c") == below);
  });
}

TEST_CASE("A mailbox made again has a greater UIDVALIDITY than any before, also after a restart") {
  over_each_backend([](StoreFixture& store) {
    UidValidity greatest;
    for (int round = 0; round < 6; ++round) {
      const Mailbox made = must(store.account().create_mailbox(name("again")));
      CHECK(made.uid_validity > greatest);
      greatest = made.uid_validity;
      must(store.account().delete_mailbox(name("again")));
      if (round % 2 == 0) store.reopen();
      if (round == 3) store.reopen_without_index();
    }
  });
}

TEST_CASE("RENAME takes inferiors, messages, ids and special use along, and makes superiors") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    const MailboxId old = store.mailbox("old");
    const MailboxId below = store.mailbox("old/deep/er");
    const MailboxId other = store.mailbox("older");
    const Uid uid = store.append(below, sample_message(5), make_flags("\\Flagged $Label1"));
    must(account.set_special_use(name("old"), SpecialUse::archive));
    must(account.rename_mailbox(name("old"), name("new/place")));
    const Names wanted = {"INBOX", "new", "new/place", "new/place/deep", "new/place/deep/er", "older"};
    CHECK(listed(store) == wanted);
    CHECK(store.mailbox("new/place") == old);
    CHECK(store.mailbox("new/place/deep/er") == below);
    CHECK(store.mailbox("older") == other);
    CHECK(must(account.find_mailbox(name("new/place"))).special_use == SpecialUse::archive);
    CHECK(store.content(below, uid) == sample_message(5));
    CHECK(store.flags(below, uid) == make_flags("\\Flagged $Label1"));
    store.reopen_without_index();
    CHECK(listed(store) == wanted);
    CHECK(store.mailbox("new/place/deep/er") == below);
    CHECK(store.content(below, uid) == sample_message(5));
    CHECK(store.flags(below, uid) == make_flags("\\Flagged $Label1"));
  });
}

TEST_CASE("RENAME onto a name whose inferiors are in the way changes nothing") {
  over_each_backend([](StoreFixture& store) {
    store.mailbox("a/x");
    store.mailbox("b/x");
    must(store.account().delete_mailbox(name("b")));
    CHECK(kind_of(store.account().rename_mailbox(name("a"), name("b"))) == ErrorKind::already_exists);
    CHECK(listed(store) == Names{"INBOX", "a", "a/x", "b (gone)", "b/x"});
  });
}

TEST_CASE("RENAME of INBOX moves its messages away and leaves INBOX with its inferiors") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId below = store.mailbox("INBOX/below");
    const Uid first = store.append(inbox, sample_message(1), make_flags("\\Seen"), UnixTime{1'000'000'000});
    store.append(inbox, sample_message(2));
    must(store.account().rename_mailbox(MailboxName::inbox(), name("saved/2026")));
    CHECK(listed(store) == Names{"INBOX", "INBOX/below", "saved", "saved/2026"});
    CHECK(store.mailbox("INBOX") == inbox);
    CHECK(store.mailbox("INBOX/below") == below);
    CHECK(store.status(inbox).messages == 0);
    const MailboxId saved = store.mailbox("saved/2026");
    CHECK(saved != inbox);
    const std::vector<Uid> uids = store.uids(saved).to_vector();
    REQUIRE(uids.size() == 2);
    CHECK(store.content(saved, uids[0]) == sample_message(1));
    CHECK(store.content(saved, uids[1]) == sample_message(2));
    CHECK(store.flags(saved, uids[0]) == make_flags("\\Seen"));
    CHECK(store.row(saved, uids[0]).internal_date == UnixTime{1'000'000'000});
    // INBOX goes on giving UIDs above those that it gave.
    CHECK(store.append(inbox, sample_message(3)) > Uid(first.value() + 1));
  });
}

TEST_CASE("Subscriptions are to names: they need no mailbox and survive its deletion") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    store.mailbox("there");
    must(account.subscribe(name("there")));
    must(account.subscribe(name("there")));
    must(account.subscribe(name("not/there")));
    must(account.subscribe(MailboxName::inbox()));
    CHECK(listed(store) == Names{"INBOX (subscribed)", "not/there (gone) (subscribed)", "there (subscribed)"});
    must(account.delete_mailbox(name("there")));
    const Names after = {"INBOX (subscribed)", "not/there (gone) (subscribed)", "there (gone) (subscribed)"};
    CHECK(listed(store) == after);
    store.reopen_without_index();
    CHECK(listed(store) == after);
    must(store.account().unsubscribe(name("there")));
    must(store.account().unsubscribe(name("never")));
    CHECK(listed(store) == Names{"INBOX (subscribed)", "not/there (gone) (subscribed)"});
  });
}

TEST_CASE("Special use is set at creation or later, and survives a lost index") {
  over_each_backend([](StoreFixture& store) {
    storage::AccountStore& account = store.account();
    CHECK(must(account.create_mailbox(name("Sent"), SpecialUse::sent)).special_use == SpecialUse::sent);
    store.mailbox("Rubbish");
    must(account.set_special_use(name("Rubbish"), SpecialUse::trash));
    store.reopen_without_index();
    CHECK(must(store.account().find_mailbox(name("Sent"))).special_use == SpecialUse::sent);
    CHECK(must(store.account().find_mailbox(name("Rubbish"))).special_use == SpecialUse::trash);
    must(store.account().set_special_use(name("Sent"), SpecialUse::none));
    CHECK(must(store.account().find_mailbox(name("Sent"))).special_use == SpecialUse::none);
  });
}

TEST_CASE("Special uses that collect messages of other mailboxes are refused") {
  over_each_backend([](StoreFixture& store) {
    store.mailbox("a");
    for (const SpecialUse use : {SpecialUse::all, SpecialUse::flagged, SpecialUse::important}) {
      CHECK(kind_of(store.account().create_mailbox(name("virtual"), use)) == ErrorKind::use_attribute);
      CHECK(kind_of(store.account().set_special_use(name("a"), use)) == ErrorKind::use_attribute);
    }
    CHECK(listed(store) == Names{"INBOX", "a"});
  });
}

TEST_CASE("Default mailboxes are made and subscribed once, and stay away when the user deletes them") {
  over_each_backend([](StoreFixture& store) {
    const std::vector<std::pair<MailboxName, SpecialUse>> wanted = {
        {name("Drafts"), SpecialUse::drafts}, {name("Sent"), SpecialUse::sent}, {name("Trash"), SpecialUse::trash}};
    store.mailbox("Sent");
    must(store.account().ensure_default_mailboxes(wanted));
    CHECK(listed(store) == Names{"Drafts (subscribed)", "INBOX", "Sent (subscribed)", "Trash (subscribed)"});
    CHECK(must(store.account().find_mailbox(name("Sent"))).special_use == SpecialUse::sent);
    CHECK(must(store.account().find_mailbox(name("Trash"))).special_use == SpecialUse::trash);
    must(store.account().delete_mailbox(name("Drafts")));
    must(store.account().unsubscribe(name("Drafts")));
    store.reopen_without_index();
    must(store.account().ensure_default_mailboxes(wanted));
    CHECK(listed(store) == Names{"INBOX", "Sent (subscribed)", "Trash (subscribed)"});
  });
}

TEST_CASE("The number of mailboxes is limited, superiors included") {
  storage::StoreOptions options;
  options.mailboxes_max = 4;
  over_each_backend(
      [](StoreFixture& store) {
        store.mailbox("one");
        CHECK(kind_of(store.account().create_mailbox(name("a/b/c"))) == ErrorKind::limit);
        CHECK(listed(store) == Names{"INBOX", "one"});
        store.mailbox("a/b");
        CHECK(kind_of(store.account().create_mailbox(name("last"))) == ErrorKind::limit);
        must(store.account().delete_mailbox(name("one")));
        store.mailbox("last");
      },
      options);
}

TEST_CASE("Mailbox ids are never used again, and the same id after a restart means the same mailbox") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId first = store.mailbox("a");
    must(store.account().delete_mailbox(name("a")));
    const MailboxId second = store.mailbox("a");
    CHECK(first != second);
    store.reopen();
    CHECK(store.mailbox("a") == second);
    store.reopen_without_index();
    CHECK(store.mailbox("a") == second);
    CHECK(store.mailbox("b") != first);
  });
}

TEST_CASE("An account gets another name with all its mail, and none that has mail") {
  over_each_backend([](StoreFixture& store) {
    {
      const auto old_account = must(store.store().open("old@example.org", [] {}));
      must(old_account->create_mailbox(name("Kept")));
      must(old_account->close());
    }
    CHECK(kind_of(store.store().rename("nobody", "new")) == ErrorKind::not_found);
    CHECK(kind_of(store.store().rename("old@example.org", "tess")) == ErrorKind::already_exists);
    must(store.store().rename("old@example.org", "New"));
    CHECK_FALSE(must(store.store().exists("old@example.org")));
    const auto account = must(store.store().open("New", [] {}));
    CHECK(must(account->find_mailbox(name("Kept"))).exists);
    must(account->close());
  });
}

TEST_CASE("Accounts are apart, listed, and removed with all their mail") {
  over_each_backend([](StoreFixture& store) {
    CHECK(must(store.store().exists("tess")));
    CHECK_FALSE(must(store.store().exists("uma@example.org")));
    {
      auto other = must(store.store().open("uma@example.org", nullptr));
      must(other->create_mailbox(name("hers")));
      must(other->close());
    }
    CHECK(must(store.store().exists("uma@example.org")));
    std::vector<std::string> users = must(store.store().list_accounts());
    std::sort(users.begin(), users.end());
    CHECK(users == Names{"tess", "uma@example.org"});
    CHECK(listed(store) == Names{"INBOX"});
    must(store.store().remove("uma@example.org"));
    CHECK_FALSE(must(store.store().exists("uma@example.org")));
    CHECK(kind_of(store.store().remove("uma@example.org")) == ErrorKind::not_found);
    auto anew = must(store.store().open("uma@example.org", nullptr));
    CHECK(kind_of(anew->find_mailbox(name("hers"))) == ErrorKind::not_found);
    must(anew->close());
  });
}

}  // namespace
}  // namespace postkeep::test
