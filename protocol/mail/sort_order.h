// SortTable: messages put in order by SORT's criteria. RFC 5256 §3 (SORT), RFC 5957 (DISPLAYFROM, DISPLAYTO).
// What the criteria are is parsed by imap/commands/sort; the values come from mime/collation_keys and the index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep {

enum class SortKey { arrival, cc, date, from, size, subject, to, display_from, display_to };

// Is a message's value a number (a time, a size), or text?
constexpr bool is_number(SortKey key) {
  return key == SortKey::arrival || key == SortKey::date || key == SortKey::size;
}

struct SortCriterion {
  SortKey key = SortKey::arrival;
  bool reverse = false;
  bool operator==(const SortCriterion&) const = default;
};

// A column for each criterion; text lies together in one string, so a million messages cost little more than their
// subjects. Not for several threads at once.
class SortTable {
 public:
  // A criterion whose key stood before it decides nothing and is left out.
  explicit SortTable(const std::vector<SortCriterion>& criteria);

  // The values that a row needs, in this order.
  const std::vector<SortCriterion>& criteria() const { return criteria_; }

  // A row: begin_row() with the message's number (above all before it), then a value for each criterion.
  void begin_row(std::uint32_t number);
  void add_number(std::int64_t value);
  void add_text(std::string_view value);  // compared octet by octet

  // The numbers in order. Rows that no criterion tells apart stay as they were added. O(n log n).
  std::vector<std::uint32_t> order() const;

 private:
  struct Column {
    std::vector<std::int64_t> numbers;
    std::vector<std::uint64_t> ends;  // of each row's text in `text`
    std::string text;
    std::string_view text_of(std::size_t row) const;
  };
  class Words;
  std::vector<SortCriterion> criteria_;
  std::vector<Column> columns_;
  std::size_t next_column_ = 0;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace postkeep
