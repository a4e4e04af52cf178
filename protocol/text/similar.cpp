#include "protocol/text/similar.h"

#include <algorithm>
#include <vector>

#include "protocol/base/ascii.h"

namespace postkeep::text {

namespace {

constexpr std::size_t name_octets_max = 300;  // longer ones are no slip of the fingers

}  // namespace

// Optimal string alignment, in three rows of the table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

NearestName::NearestName(std::string_view wanted)
    : wanted_(wanted), distance_(std::clamp<std::size_t>((wanted.size() + 2) / 3, 1, changes_max) + 1) {}

void NearestName::offer(std::string_view name) {
  const std::size_t shorter = std::min(name.size(), wanted_.size()), longer = std::max(name.size(), wanted_.size());
  if (longer > name_octets_max || longer - shorter >= distance_) return;
  const std::size_t d = edit_distance(ascii::to_lower(wanted_), ascii::to_lower(name));
  if (d >= distance_) return;
  distance_ = d;
  best_ = name;
}

}  // namespace postkeep::text
