// The contract of storage/account_store.h, over every backend: quota.
#include <doctest/doctest.h>

#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using storage::check_room;
using storage::limits_of;
using storage::QuotaLimits;
using storage::QuotaUsage;

constexpr auto none = std::nullopt;

storage::StoreOptions with_quota(QuotaLimits quota) {
  storage::StoreOptions options;
  options.quota = quota;
  return options;
}

Outcome try_append(StoreFixture& store, MailboxId mailbox, std::initializer_list<std::string> contents) {
  std::vector<storage::AppendItem> items;
  for (const std::string& content : contents) items.push_back({store.incoming(content), {}, none});
  TRY(store.account().append(mailbox, items));
  return {};
}

TEST_CASE("An account's own limit holds instead of the one of all, and 0 is none") {
  CHECK(limits_of({none, none}, {5, 7}) == QuotaLimits{5, 7});
  CHECK(limits_of({3, none}, {5, 7}) == QuotaLimits{3, 7});
  CHECK(limits_of({none, 9}, {5, none}) == QuotaLimits{5, 9});
  CHECK(limits_of({0, 0}, {5, 7}) == QuotaLimits{none, none});
}

TEST_CASE("There is room up to the limit and not beyond, also when more is there than may be") {
  CHECK(check_room({none, none}, {~0ULL, ~0ULL}, {~0ULL, ~0ULL}));
  CHECK(check_room({10, none}, {4, 100}, {6, 1}));
  CHECK(kind_of(check_room({10, none}, {4, 0}, {7, 1})) == ErrorKind::quota_reached);
  CHECK(kind_of(check_room({none, 3}, {0, 2}, {0, 2})) == ErrorKind::quota_reached);
  CHECK(kind_of(check_room({10, none}, {11, 1}, {0, 1})) == ErrorKind::quota_reached);
  CHECK(kind_of(check_room({10, none}, {4, 0}, {~0ULL, 1})) == ErrorKind::quota_reached);
}

TEST_CASE("What is replaced makes room, and what does not grow needs none") {
  using storage::check_room_instead_of;
  CHECK(check_room_instead_of({10, 2}, {10, 2}, {4, 1}, {4, 1}));
  CHECK(check_room_instead_of({10, 2}, {8, 2}, {4, 1}, {6, 1}));
  CHECK(kind_of(check_room_instead_of({10, 2}, {8, 2}, {4, 1}, {7, 1})) == ErrorKind::quota_reached);
  CHECK(check_room_instead_of({10, 2}, {15, 5}, {4, 1}, {3, 1}));  // over the limit already
  CHECK(kind_of(check_room_instead_of({10, 2}, {15, 5}, {4, 1}, {5, 1})) == ErrorKind::quota_reached);
}

TEST_CASE("Messages come in until the quota is reached, all of an append or none") {
  const std::string content(100, 'x');
  const auto body = [&](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("Other");
    CHECK(try_append(store, inbox, {content, content}));
    CHECK(kind_of(try_append(store, other, {content, content})) == ErrorKind::quota_reached);
    CHECK(store.uids(other).empty());
    CHECK(try_append(store, other, {content + "12345678901234567890123456789012345678901234567890"}));
    CHECK(kind_of(try_append(store, inbox, {"x"})) == ErrorKind::quota_reached);
    const storage::Quota quota = must(store.account().quota());
    CHECK(quota.used == QuotaUsage{350, 3});
    CHECK(quota.limits == QuotaLimits{350, none});
    CHECK(quota.own == QuotaLimits{});
    // Room comes back with EXPUNGE.
    const Uid first = store.uids(inbox).min();
    store.add_flags(inbox, UidSet{first}, make_flags("\\Deleted"));
    must(store.account().expunge(inbox, UidSet{first}));
    CHECK(must(store.account().quota()).used == QuotaUsage{250, 2});
    CHECK(try_append(store, inbox, {content}));
  };
  over_each_backend(body, with_quota({350, none}));
}

TEST_CASE("Whether there is room is told beforehand, and nothing is taken by that") {
  const std::string content(100, 'x');
  const auto body = [&](StoreFixture& store) {
    const auto room = [&store](std::uint64_t octets, std::uint64_t messages) {
      return store.account().look_for_room(QuotaUsage{octets, messages});
    };
    CHECK(room(250, 3));
    CHECK(room(250, 3));
    CHECK(kind_of(room(251, 1)) == ErrorKind::quota_reached);
    CHECK(kind_of(room(1, 4)) == ErrorKind::quota_reached);
    REQUIRE(try_append(store, store.mailbox("Other"), {content, content}));
    CHECK(room(50, 1));
    CHECK(kind_of(room(51, 1)) == ErrorKind::quota_reached);
    must(store.account().set_quota({0, 0}));
    CHECK(room(~0ULL, ~0ULL));
  };
  over_each_backend(body, with_quota({250, 3}));
}

TEST_CASE("COPY needs room; MOVE and RENAME need none") {
  const auto body = [](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    const MailboxId other = store.mailbox("Other");
    store.append_many(inbox, 3);
    storage::AccountStore& account = store.account();
    const UidSet all = store.uids(inbox);
    const UidSet one = {all.min()};
    CHECK(account.copy(inbox, all, other).error().kind == ErrorKind::quota_reached);
    CHECK(store.uids(other).empty());
    CHECK(account.copy(inbox, UidSet{all.max()}, other));
    CHECK(account.copy(inbox, one, other).error().kind == ErrorKind::quota_reached);
    CHECK(account.copy(inbox, uid_set({77}), other)->source.empty());
    CHECK(account.move(inbox, one, other)->source == one);
    CHECK(account.rename_mailbox(MailboxName::inbox(), StoreFixture::name("Before")));
    CHECK(must(account.quota()).used.messages == 4);
  };
  over_each_backend(body, with_quota({none, 4}));
}

TEST_CASE("An account's own quota survives a restart and a lost index, and may lie below what is there") {
  const auto body = [](StoreFixture& store) {
    const MailboxId inbox = store.mailbox("INBOX");
    store.append_many(inbox, 5);
    must(store.account().set_quota({none, 2}));
    const QuotaUsage used = must(store.account().quota()).used;
    CHECK(used.messages == 5);
    CHECK(kind_of(try_append(store, inbox, {"x"})) == ErrorKind::quota_reached);
    store.reopen();
    CHECK(must(store.account().quota()).own == QuotaLimits{none, 2});
    store.reopen_without_index();
    const storage::Quota found = must(store.account().quota());
    CHECK(found.own == QuotaLimits{none, 2});
    CHECK(found.limits == QuotaLimits{1'000'000, 2});
    CHECK(found.used == used);
    must(store.account().set_quota({0, none}));
    CHECK(must(store.account().quota()).limits == QuotaLimits{none, 6});
    CHECK(try_append(store, store.mailbox("INBOX"), {"x"}));
  };
  over_each_backend(body, with_quota({1'000'000, 6}));
}

}  // namespace
}  // namespace postkeep::test
