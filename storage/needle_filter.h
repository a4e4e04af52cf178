// NeedleFilter: may a needle be in a text, by the look of its raw octets? Case is folded on the way, so that nothing
// has to be converted or copied where the answer is no. Used by storage/search_eval.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::storage {

// A value. Made of a folded needle (protocol/text/casemap.h).
class NeedleFilter {
 public:
  explicit NeedleFilter(std::string_view needle);

  // A needle with line ends may lie across fields and parts, which are told one by one.
  bool works_by_parts() const { return works_by_parts_; }
  // For mime::SearchTextFilter: `raw` is all ASCII, and has each stretch of the text that is printable and no space.
  // False: the needle is not in the text. Time is linear in `raw`, whatever the needle; about 16 octets an instruction.
  bool may_be_in(std::string_view raw) const;

 private:
  bool stands_at(const char* place) const;

  bool works_by_parts_ = false;
  bool is_ascii_ = true;
  std::string word_;       // a stretch of the needle, not all if it is long; empty: nothing to go by
  std::size_t first_ = 0;  // where in it the two octets stand that are likely to be rare
  std::size_t second_ = 0;
};

}  // namespace postkeep::storage
