// See resync.h.
#include "server/imap/resync.h"

namespace postkeep::imap {

namespace {

// The n-th of the set, from 0; n is below its size.
std::uint32_t nth(const UidSet& set, std::uint64_t n) {
  for (const UidSet::Range& range : set.ranges()) {
    const std::uint64_t size = std::uint64_t{range.last.value()} - range.first.value() + 1;
    if (n < size) return static_cast<std::uint32_t>(range.first.value() + n);
    n -= size;
  }
  return 0;
}

}  // namespace

// Expunges only move numbers down, so behind the first pair that is wrong all are.
Uid last_match(const QresyncParameter& known, const storage::MailboxVersion& messages) {
  const auto matches = [&](std::uint64_t n) {
    const std::uint32_t number = nth(known.known_sequence, n);
    if (number > messages.count()) return false;
    return messages.at(SeqNum(number)).uid.value() == nth(known.known_sequence_uids, n);
  };
  std::uint64_t right = 0;  // pairs below this one match
  std::uint64_t wrong = known.known_sequence.size();
  while (right < wrong) {
    const std::uint64_t middle = right + (wrong - right) / 2;
    if (matches(middle)) {
      right = middle + 1;
    } else {
      wrong = middle;
    }
  }
  return right == 0 ? Uid(0) : Uid(nth(known.known_sequence_uids, right - 1));
}

}  // namespace postkeep::imap
