#include "server/pop3/maildrop.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/support/results.h"

using namespace postkeep;
using pop3::Maildrop;
using test::kind_of;
using test::must;

namespace {

storage::MessageRow row(std::uint32_t uid, std::uint64_t size, bool ends_in_crlf = true) {
  storage::MessageRow made;
  made.uid = Uid(uid);
  made.size = size;
  made.ends_in_crlf = ends_in_crlf;
  return made;
}

Maildrop three() {
  Maildrop maildrop(MailboxId(1), UidValidity(0x65f1c3a2));
  maildrop.add(row(3, 100));
  maildrop.add(row(7, 200));
  maildrop.add(row(4'000'000'000U, 50, false));
  return maildrop;
}

}  // namespace

TEST_CASE("messages are numbered from 1, and a missing line end counts") {
  const Maildrop maildrop = three();
  CHECK(maildrop.count() == 3);
  CHECK(maildrop.octets() == 352);
  CHECK(must(maildrop.find(1)).uid == Uid(3));
  CHECK(must(maildrop.find(2)).size == 200);
  CHECK(must(maildrop.find(3)).size == 52);
  for (const std::uint32_t number : {0U, 4U, UINT32_MAX}) CHECK(kind_of(maildrop.find(number)) == ErrorKind::not_found);
}

TEST_CASE("what is marked is not there any more, until it is unmarked; numbers stay") {
  Maildrop maildrop = three();
  CHECK(maildrop.marked().empty());
  must(maildrop.mark(2));
  CHECK(kind_of(maildrop.mark(2)) == ErrorKind::not_found);
  CHECK(kind_of(maildrop.mark(4)) == ErrorKind::not_found);
  CHECK(kind_of(maildrop.mark(0)) == ErrorKind::not_found);
  CHECK(kind_of(maildrop.find(2)) == ErrorKind::not_found);
  CHECK(must(maildrop.find(3)).uid == Uid(4'000'000'000U));
  CHECK(maildrop.count() == 2);
  CHECK(maildrop.highest() == 3);
  CHECK(maildrop.octets() == 152);
  must(maildrop.mark(3));
  CHECK(maildrop.marked() == UidSet{Uid(7), Uid(4'000'000'000U)});
  maildrop.unmark_all();
  CHECK(maildrop.count() == 3);
  CHECK(maildrop.octets() == 352);
  CHECK(maildrop.marked().empty());
  CHECK(must(maildrop.find(2)).size == 200);
}

TEST_CASE("an empty maildrop has nothing") {
  Maildrop maildrop(MailboxId(1), UidValidity(1));
  CHECK(maildrop.count() == 0);
  CHECK(maildrop.octets() == 0);
  CHECK(kind_of(maildrop.find(1)) == ErrorKind::not_found);
  maildrop.unmark_all();
  CHECK(maildrop.marked().empty());
}

TEST_CASE("a unique-id is made of what never changes and is never given again") {
  const Maildrop maildrop = three();
  CHECK(maildrop.unique_id(Uid(3)) == "0000000365f1c3a2");
  CHECK(maildrop.unique_id(Uid(UINT32_MAX)) == "ffffffff65f1c3a2");
  const Maildrop made_again(MailboxId(1), UidValidity(0x65f1c3a3));
  std::set<std::string> ids;
  for (const std::uint32_t uid : {1U, 2U, 16U, 0x365f1c3U, UINT32_MAX}) {
    ids.insert(maildrop.unique_id(Uid(uid)));
    ids.insert(made_again.unique_id(Uid(uid)));
  }
  CHECK(ids.size() == 10);
}
