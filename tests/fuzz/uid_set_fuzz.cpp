// Fuzzes UID and sequence sets: what is accepted prints as the same set, sorted and merged.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/mail/uid_set.h"

using namespace postkeep;

namespace {

void check_normal(const UidSet& set) {
  for (std::size_t i = 0; i < set.ranges().size(); ++i) {
    const UidSet::Range& range = set.ranges()[i];
    if (range.last < range.first || range.first.value() == 0) std::abort();
    if (i > 0 && std::uint64_t{set.ranges()[i - 1].last.value()} + 1 >= range.first.value()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = UidSet::from_wire(text)) {
    check_normal(*set);
    if (set->empty() || UidSet::from_wire(set->to_wire()).value() != *set) std::abort();
    UidSet one_by_one;
    for (const UidSet::Range& range : set->ranges()) one_by_one.add_range(range.first, range.last);
    if (one_by_one != *set || !set->subtract(one_by_one).empty() || set->intersect(one_by_one) != *set) std::abort();
  }
  if (const auto sequence = SequenceSet::parse(text)) {
    for (const std::uint32_t largest : {0U, 1U, 500U, 4'294'967'295U}) check_normal(sequence->resolve(largest));
  }
  return 0;
}
