#include "protocol/imap/commands/partial.h"

#include <utility>

namespace postkeep::imap {

UidSet PartialRange::of(const UidSet& all) const {
  const std::uint64_t size = all.size();
  if (!from_end) return first_of(all, last).subtract(first_of(all, first - 1));
  if (first > size) return {};
  const std::uint64_t skipped = last >= size ? 0 : size - last;
  return first_of(all, size - first + 1).subtract(first_of(all, skipped));
}

Result<PartialRange> parse_partial_range(Cursor& cursor) {
  PartialRange range;
  range.from_end = cursor.accept('-');
  range.first = TRY(cursor.nz_number());
  TRY(cursor.expect(':'));
  if (range.from_end) TRY(cursor.expect('-'));
  range.last = TRY(cursor.nz_number());
  const std::string sign = range.from_end ? "-" : "";
  range.text = sign + std::to_string(range.first) + ":" + sign + std::to_string(range.last);
  if (range.last < range.first) std::swap(range.first, range.last);
  return range;
}

}  // namespace postkeep::imap
