#include "protocol/mail/sort_order.h"

#include <algorithm>
#include <numeric>

#include "protocol/base/ensure.h"

namespace postkeep {

SortTable::SortTable(const std::vector<SortCriterion>& criteria) {
  for (const SortCriterion& criterion : criteria) {
    const bool stood_before =
        std::ranges::any_of(criteria_, [&](const SortCriterion& earlier) { return earlier.key == criterion.key; });
    if (!stood_before) criteria_.push_back(criterion);
  }
  columns_.resize(criteria_.size());
}

void SortTable::begin_row(std::uint32_t number) {
  ENSURE(next_column_ == 0 || next_column_ == columns_.size(), "a row has a value for each criterion");
  next_column_ = 0;
  numbers_.push_back(number);
}

void SortTable::add_number(std::int64_t value) { columns_.at(next_column_++).numbers.push_back(value); }

void SortTable::add_text(std::string_view value) {
  Column& column = columns_.at(next_column_++);
  column.text += value;
  column.ends.push_back(column.text.size());
}

std::string_view SortTable::Column::text_of(std::size_t row) const {
  const std::uint64_t begin = row == 0 ? 0 : ends[row - 1];
  return std::string_view(text).substr(begin, ends[row] - begin);
}

int SortTable::Column::compare(std::size_t a, std::size_t b) const {
  if (ends.empty()) return numbers[a] < numbers[b] ? -1 : numbers[a] > numbers[b] ? 1 : 0;
  return text_of(a).compare(text_of(b));
}

std::vector<std::uint32_t> SortTable::order() const {
  std::vector<std::uint32_t> rows(numbers_.size());
  std::iota(rows.begin(), rows.end(), 0U);
  std::sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const int order = columns_[i].compare(a, b);
      if (order != 0) return criteria_[i].reverse ? order > 0 : order < 0;
    }
    return a < b;
  });
  for (std::uint32_t& row : rows) row = numbers_[row];
  return rows;
}

}  // namespace postkeep
