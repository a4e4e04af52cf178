// "Did you mean": which of the names that there are is meant by one that there is not. For configuration keys,
// commands, users and mailboxes. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace postkeep::text {

// Octets to add, remove or replace, and neighbours to swap, to make one text of the other. Takes time in proportion to
// the product of the lengths: for names.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Keeps the nearest of the names it is shown.
class NearestName {
 public:
  // Names in which more than a third of `wanted` would have to change (at least one octet, at most `changes_max`) are
  // not near.
  static constexpr std::size_t changes_max = 3;
  explicit NearestName(std::string_view wanted);
  // `name` must outlive this. ASCII case does not count.
  void offer(std::string_view name);
  // Empty if none was near.
  std::string_view best() const { return best_; }

 private:
  std::string_view wanted_;
  std::string_view best_;
  std::size_t distance_;
};

}  // namespace postkeep::text
