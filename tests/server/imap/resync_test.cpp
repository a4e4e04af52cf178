#include "server/imap/resync.h"

#include <doctest/doctest.h>

#include <vector>

using namespace postkeep;
using namespace postkeep::imap;

namespace {

storage::MailboxVersionPtr mailbox_of(const std::vector<std::uint32_t>& uids) {
  std::vector<storage::MessageState> messages;
  for (const std::uint32_t uid : uids) {
    storage::MessageState message;
    message.uid = Uid(uid);
    message.modseq = ModSeq(1);
    messages.push_back(message);
  }
  return storage::MailboxVersion::build({}, std::make_shared<const storage::FlagTable>(), messages);
}

Uid match(const char* numbers, const char* uids, const std::vector<std::uint32_t>& there) {
  QresyncParameter known;
  known.known_sequence = UidSet::from_wire(numbers).value();
  known.known_sequence_uids = UidSet::from_wire(uids).value();
  return last_match(known, *mailbox_of(there));
}

}  // namespace

TEST_CASE("the last pair of number and UID that still holds") {
  const std::vector<std::uint32_t> there = {2, 4, 6, 9, 10, 20};
  CHECK(match("1,3,6", "2,6,20", there) == Uid(20));
  CHECK(match("1,3,6", "2,6,19", there) == Uid(6));
  CHECK(match("1,3,5", "1,5,9", there) == Uid(0));
  CHECK(match("2,4", "4,8", there) == Uid(4));
  CHECK(match("6,7,900", "20,30,40", there) == Uid(20));
  CHECK(match("1", "2", {}) == Uid(0));
}

TEST_CASE("ranges of any size cost nothing") {
  CHECK(match("1:4294967295", "1:4294967295", {1, 2, 3, 5}) == Uid(3));
  CHECK(last_match(QresyncParameter(), *mailbox_of({1})) == Uid(0));
}
