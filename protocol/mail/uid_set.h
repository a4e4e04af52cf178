// UidSet: a set of UIDs as sorted, disjoint, non-adjacent ranges. SequenceSet: what the client wrote.
// RFC 9051 §9 (sequence-set, uid-set), RFC 5182 ("$").
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/ids.h"

namespace postkeep {

// A value. Cost of every operation is in the number of ranges, never of UIDs, unless it says so.
class UidSet {
 public:
  struct Range {
    Uid first;
    Uid last;  // inclusive
    auto operator<=>(const Range&) const = default;
  };

  UidSet() = default;
  UidSet(std::initializer_list<Uid> uids);
  static UidSet of_range(Uid first, Uid last);  // empty if last < first

  // Appending in ascending order is O(1); anywhere else O(ranges).
  void add(Uid uid) { add_range(uid, uid); }
  void add_range(Uid first, Uid last);
  void add_all(const UidSet& other);
  void remove(Uid uid);

  bool contains(Uid uid) const;  // O(log ranges)
  bool empty() const { return ranges_.empty(); }
  std::uint64_t size() const;  // number of UIDs
  Uid min() const;             // of a set that is not empty
  Uid max() const;
  const std::vector<Range>& ranges() const { return ranges_; }

  UidSet union_with(const UidSet& other) const;
  UidSet intersect(const UidSet& other) const;
  UidSet subtract(const UidSet& other) const;

  // Calls visit(Uid) for each UID, ascending.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Range& range : ranges_) {
      for (std::uint64_t v = range.first.value(); v <= range.last.value(); ++v)
        visit(Uid(static_cast<std::uint32_t>(v)));
    }
  }
  std::vector<Uid> to_vector() const;

  // "1:3,7" as COPYUID, VANISHED and ESEARCH print it; "" if empty.
  std::string to_wire() const;
  // The inverse, strict: ascending or not, no "*".
  static Result<UidSet> from_wire(std::string_view text);

  bool operator==(const UidSet&) const = default;

 private:
  std::vector<Range> ranges_;
};

// The lowest `count` of them: for work that goes in batches.
UidSet first_of(const UidSet& uids, std::uint64_t count);

// The `sequence-set` of a command, before anybody knows what the numbers mean: message numbers or
// UIDs, "*" still open, ranges in either order.
struct SequenceSet {
  static constexpr std::uint32_t star = 0;  // "*": the largest number in use
  struct Range {
    std::uint32_t first = 0;  // 1.. or star
    std::uint32_t last = 0;
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> ranges;
  bool saved_result = false;  // "$" (RFC 5182): ranges is empty

  // Numbers meant when the largest in use is `largest` (0: mailbox empty, so "*" means nothing).
  // "n:*" always includes the largest, also when n is above it (RFC 9051 §9 seq-range). The values are
  // UIDs or message numbers, as the caller knows.
  UidSet resolve(std::uint32_t largest) const;

  // Parses `sequence-set`; error bad_syntax. At most limits::sequence_ranges_max ranges.
  static Result<SequenceSet> parse(std::string_view text);
  bool operator==(const SequenceSet&) const = default;
};

}  // namespace postkeep
