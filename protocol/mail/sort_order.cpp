#include "protocol/mail/sort_order.h"

#include <algorithm>

#include "protocol/base/ensure.h"
#include "protocol/mail/word_order.h"

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

// Text as words of its octets. A number is one word, its sign turned so that it orders as unsigned. REVERSE turns all.
class SortTable::Words {
 public:
  explicit Words(const SortTable& table) : table_(table) {}
  std::size_t columns() const { return table_.columns_.size(); }
  std::uint64_t word(std::uint32_t row, std::size_t column, std::size_t depth) const {
    const Column& values = table_.columns_[column];
    const std::uint64_t word = is_text(column)
                                   ? text_word(values.text_of(row), depth)
                                   : static_cast<std::uint64_t>(values.numbers[row]) ^ (std::uint64_t{1} << 63);
    return turned(word, column);
  }
  bool goes_on(std::uint64_t word, std::size_t column) const {
    return is_text(column) && (turned(word, column) & 0xff) == text_goes_on;
  }

 private:
  bool is_text(std::size_t column) const { return !is_number(table_.criteria_[column].key); }
  std::uint64_t turned(std::uint64_t word, std::size_t column) const {
    return table_.criteria_[column].reverse ? ~word : word;
  }
  const SortTable& table_;
};

std::vector<std::uint32_t> SortTable::order() const {
  std::vector<WordRow> rows(numbers_.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].row = static_cast<std::uint32_t>(i);
  order_by_words(rows, Words(*this));
  std::vector<std::uint32_t> ordered(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) ordered[i] = numbers_[rows[i].row];
  return ordered;
}

}  // namespace postkeep
