#include "protocol/mail/uid_set.h"

#include <algorithm>
#include <limits>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"
#include "protocol/mail/limits.h"

namespace postkeep {
namespace {

constexpr std::uint32_t number_max = std::numeric_limits<std::uint32_t>::max();

// `nz-number`, or "*" where that is allowed. Advances `text`; nullopt if there is none.
enum class Star { no, yes };
std::optional<std::uint32_t> take_number(std::string_view& text, Star star) {
  if (star == Star::yes && text.starts_with('*')) {
    text.remove_prefix(1);
    return SequenceSet::star;
  }
  std::uint64_t value = 0;
  std::size_t n = 0;
  for (; n < text.size() && ascii::is_digit(text[n]); ++n) {
    value = value * 10 + static_cast<std::uint64_t>(text[n] - '0');
    if (value == 0 || value > number_max) return std::nullopt;
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return static_cast<std::uint32_t>(value);
}

// The comma-separated list of numbers and ranges that both kinds of set are written as.
Result<std::vector<SequenceSet::Range>> parse_ranges(std::string_view text, Star star) {
  std::vector<SequenceSet::Range> ranges;
  while (true) {
    const auto first = take_number(text, star);
    if (!first) return failure(ErrorKind::bad_syntax, "Invalid number in message set");
    auto last = first;
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      last = take_number(text, star);
      if (!last) return failure(ErrorKind::bad_syntax, "Invalid range in message set");
    }
    if (ranges.size() == limits::sequence_ranges_max) return failure(ErrorKind::bad_syntax, "Message set is too long");
    ranges.push_back(SequenceSet::Range{*first, *last});
    if (text.empty()) return ranges;
    if (!text.starts_with(',')) return failure(ErrorKind::bad_syntax, "Invalid character in message set");
    text.remove_prefix(1);
  }
}

// Sorted and merged, in O(n log n) for input in any order.
std::vector<UidSet::Range> normalised(std::vector<UidSet::Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<UidSet::Range> out;
  out.reserve(ranges.size());
  for (const UidSet::Range& range : ranges) {
    if (!out.empty() && std::uint64_t{out.back().last.value()} + 1 >= range.first.value()) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

}  // namespace

UidSet::UidSet(std::initializer_list<Uid> uids) {
  for (const Uid uid : uids) add(uid);
}

UidSet UidSet::of_range(Uid first, Uid last) {
  UidSet set;
  set.add_range(first, last);
  return set;
}

void UidSet::add_range(Uid first, Uid last) {
  if (last < first) return;
  // The first range that is not wholly below `first` with a gap between: where merging may start.
  auto begin = ranges_.end();
  if (!ranges_.empty() && std::uint64_t{ranges_.back().last.value()} + 1 >= first.value()) {
    begin = std::partition_point(ranges_.begin(), ranges_.end(), [&](const Range& range) {
      return std::uint64_t{range.last.value()} + 1 < first.value();
    });
  }
  auto end = begin;
  for (; end != ranges_.end() && end->first.value() <= std::uint64_t{last.value()} + 1; ++end) {
    first = std::min(first, end->first);
    last = std::max(last, end->last);
  }
  if (begin == end) {
    ranges_.insert(begin, Range{first, last});
  } else {
    *begin = Range{first, last};
    ranges_.erase(begin + 1, end);
  }
}

void UidSet::add_all(const UidSet& other) { *this = union_with(other); }

void UidSet::remove(Uid uid) {
  const auto at = std::partition_point(ranges_.begin(), ranges_.end(), [&](const Range& r) { return r.last < uid; });
  if (at == ranges_.end() || uid < at->first) return;
  const Range whole = *at;
  const Uid before(uid.value() - 1);
  if (whole.first == whole.last) {
    ranges_.erase(at);
  } else if (uid == whole.first) {
    at->first = Uid(uid.value() + 1);
  } else if (uid == whole.last) {
    at->last = before;
  } else {
    at->first = Uid(uid.value() + 1);
    ranges_.insert(at, Range{whole.first, before});
  }
}

bool UidSet::contains(Uid uid) const {
  const auto at = std::partition_point(ranges_.begin(), ranges_.end(), [&](const Range& r) { return r.last < uid; });
  return at != ranges_.end() && at->first <= uid;
}

std::uint64_t UidSet::size() const {
  std::uint64_t count = 0;
  for (const Range& range : ranges_) count += std::uint64_t{range.last.value()} - range.first.value() + 1;
  return count;
}

Uid UidSet::min() const {
  ENSURE(!empty(), "min() is asked of sets that are not empty");
  return ranges_.front().first;
}

Uid UidSet::max() const {
  ENSURE(!empty(), "max() is asked of sets that are not empty");
  return ranges_.back().last;
}

UidSet UidSet::union_with(const UidSet& other) const {
  std::vector<Range> all;
  all.reserve(ranges_.size() + other.ranges_.size());
  all.insert(all.end(), ranges_.begin(), ranges_.end());
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  UidSet result;
  result.ranges_ = normalised(std::move(all));
  return result;
}

UidSet UidSet::intersect(const UidSet& other) const {
  UidSet result;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const Uid first = std::max(a->first, b->first);
    const Uid last = std::min(a->last, b->last);
    if (first <= last) result.ranges_.push_back(Range{first, last});
    if (a->last < b->last) {
      ++a;
    } else {
      ++b;
    }
  }
  return result;
}

UidSet UidSet::subtract(const UidSet& other) const {
  UidSet result;
  auto b = other.ranges_.begin();
  for (const Range& range : ranges_) {
    std::uint64_t next = range.first.value();  // the lowest UID of `range` not yet decided
    while (b != other.ranges_.end() && b->last.value() < next) ++b;
    for (auto cut = b; cut != other.ranges_.end() && cut->first <= range.last; ++cut) {
      if (next < cut->first.value()) {
        result.ranges_.push_back(Range{Uid(static_cast<std::uint32_t>(next)), Uid(cut->first.value() - 1)});
      }
      next = std::uint64_t{cut->last.value()} + 1;
      b = cut;
    }
    if (next <= range.last.value()) result.ranges_.push_back(Range{Uid(static_cast<std::uint32_t>(next)), range.last});
  }
  return result;
}

std::vector<Uid> UidSet::to_vector() const {
  std::vector<Uid> out;
  out.reserve(size());
  for_each([&](Uid uid) { out.push_back(uid); });
  return out;
}

std::string UidSet::to_wire() const {
  std::string out;
  for (const Range& range : ranges_) {
    if (!out.empty()) out += ',';
    out += std::to_string(range.first.value());
    if (range.first != range.last) out += ':' + std::to_string(range.last.value());
  }
  return out;
}

Result<UidSet> UidSet::from_wire(std::string_view text) {
  const auto written = TRY(parse_ranges(text, Star::no));
  std::vector<Range> ranges;
  ranges.reserve(written.size());
  for (const auto& range : written) {
    ranges.push_back(Range{Uid(std::min(range.first, range.last)), Uid(std::max(range.first, range.last))});
  }
  UidSet result;
  result.ranges_ = normalised(std::move(ranges));
  return result;
}

UidSet first_of(const UidSet& uids, std::uint64_t count) {
  UidSet first;
  for (const UidSet::Range& range : uids.ranges()) {
    const std::uint64_t length = std::uint64_t{range.last.value()} - range.first.value() + 1;
    if (length >= count) {
      if (count > 0) first.add_range(range.first, Uid(static_cast<std::uint32_t>(range.first.value() + count - 1)));
      return first;
    }
    first.add_range(range.first, range.last);
    count -= length;
  }
  return first;
}

UidSet SequenceSet::resolve(std::uint32_t largest) const {
  std::vector<UidSet::Range> resolved;
  resolved.reserve(ranges.size());
  for (const Range& range : ranges) {
    if (largest == 0 && (range.first == star || range.last == star)) continue;
    const std::uint32_t a = range.first == star ? largest : range.first;
    const std::uint32_t b = range.last == star ? largest : range.last;
    resolved.push_back(UidSet::Range{Uid(std::min(a, b)), Uid(std::max(a, b))});
  }
  UidSet result;
  for (const UidSet::Range& range : normalised(std::move(resolved))) result.add_range(range.first, range.last);
  return result;
}

Result<SequenceSet> SequenceSet::parse(std::string_view text) {
  SequenceSet set;
  if (text == "$") {
    set.saved_result = true;
    return set;
  }
  set.ranges = TRY(parse_ranges(text, Star::yes));
  return set;
}

}  // namespace postkeep
