#include "protocol/mail/word_order.h"

namespace postkeep {
namespace {

class WordsOfTexts {
 public:
  explicit WordsOfTexts(const std::vector<std::string_view>& texts) : texts_(texts) {}
  std::size_t columns() const { return 1; }
  std::uint64_t word(std::uint32_t row, std::size_t, std::size_t depth) const { return text_word(texts_[row], depth); }
  bool goes_on(std::uint64_t word, std::size_t) const { return (word & 0xff) == text_goes_on; }

 private:
  const std::vector<std::string_view>& texts_;
};

}  // namespace

std::vector<std::uint32_t> number_texts(const std::vector<std::string_view>& texts) {
  std::vector<WordRow> rows(texts.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].row = static_cast<std::uint32_t>(i);
  order_by_words(rows, WordsOfTexts(texts));
  std::vector<std::uint32_t> numbers(texts.size());
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && texts[rows[i].row] != texts[rows[i - 1].row]) ++number;
    numbers[rows[i].row] = number;
  }
  return numbers;
}

}  // namespace postkeep
