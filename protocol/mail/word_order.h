// Putting rows in order by texts and numbers that are looked at a word at a time: rows are sorted by the first word,
// and only those that it does not tell apart by the next one. Used by mail/sort_order and mail/threading. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace postkeep {

// Whether rows with the same word are told apart by a further one.
constexpr std::uint64_t text_goes_on = 8;

// The word of `text` at `depth`: seven octets, and in the lowest octet how many there are left, or text_goes_on. Texts
// compare as their words do one after another; the last word is the one that does not go on.
inline std::uint64_t text_word(std::string_view text, std::size_t depth) {
  text = text.substr(std::min(depth * 7, text.size()));
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 7; ++i) word = word << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  return word << 8 | std::min<std::uint64_t>(text.size(), text_goes_on);
}

// A row that is sorted, with the word that counts at the time.
struct WordRow {
  std::uint64_t word = 0;
  std::uint32_t row = 0;
};

// Puts rows, which come in ascending order, in order; those that nothing tells apart stay as they were. `Words` has:
//   std::uint64_t word(std::uint32_t row, std::size_t column, std::size_t depth)
//   bool goes_on(std::uint64_t word, std::size_t column)   is there a word at the next depth?
//   std::size_t columns()
// O(n log n) in rows, and linear in the words that they have in common. No recursion.
template <class Words>
void order_by_words(std::vector<WordRow>& rows, const Words& words) {
  struct Run {
    std::size_t begin, end, column, depth;
  };
  std::vector<Run> runs;
  if (words.columns() > 0) runs.push_back(Run{0, rows.size(), 0, 0});
  while (!runs.empty()) {
    const Run run = runs.back();
    runs.pop_back();
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(run.begin);
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(run.end);
    bool in_order = true;
    for (auto row = begin; row != end; ++row) {
      row->word = words.word(row->row, run.column, run.depth);
      in_order = in_order && (row == begin || (row - 1)->word <= row->word);
    }
    const auto is_before = [](const WordRow& a, const WordRow& b) {
      return a.word != b.word ? a.word < b.word : a.row < b.row;
    };
    if (!in_order) std::sort(begin, end, is_before);
    for (std::size_t first = run.begin; first < run.end;) {
      std::size_t last = first + 1;
      while (last < run.end && rows[last].word == rows[first].word) ++last;
      const bool same_column = words.goes_on(rows[first].word, run.column);
      const std::size_t column = same_column ? run.column : run.column + 1;
      if (last - first > 1 && column < words.columns()) {
        runs.push_back(Run{first, last, column, same_column ? run.depth + 1 : 0});
      }
      first = last;
    }
  }
}

// A number for each text, the same for the same text. O(n log n).
std::vector<std::uint32_t> number_texts(const std::vector<std::string_view>& texts);

}  // namespace postkeep
