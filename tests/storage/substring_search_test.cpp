#include "storage/substring_search.h"

#include <doctest/doctest.h>

#include "tests/support/random.h"

namespace postkeep::storage {
namespace {

bool found_in_pieces(std::string_view text, std::string_view needle, std::size_t piece) {
  SubstringSearch search{std::string(needle)};
  for (std::size_t at = 0; at < text.size(); at += piece) search.feed(text.substr(at, piece));
  return search.found();
}

TEST_CASE("A needle is found across any cuts of the text") {
  const std::string text = "one needle in a haystack";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(found_in_pieces(text, "needle", piece));
    CHECK(found_in_pieces(text, "one", piece));
    CHECK(found_in_pieces(text, "haystack", piece));
    CHECK(found_in_pieces(text, text, piece));
    CHECK_FALSE(found_in_pieces(text, "needles", piece));
    CHECK_FALSE(found_in_pieces(text, text + "!", piece));
  }
}

TEST_CASE("The empty needle is found in every text, the empty one too") {
  CHECK(SubstringSearch("").found());
  CHECK_FALSE(SubstringSearch("x").found());
}

TEST_CASE("Pieces of different sizes give what std::string::find gives") {
  test::Random random(7);
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (std::uint32_t i = random.below(40); i > 0; --i) text += static_cast<char>('a' + random.below(2));
    std::string needle;
    for (std::uint32_t i = random.below(6) + 1; i > 0; --i) needle += static_cast<char>('a' + random.below(2));
    SubstringSearch search(needle);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t piece = random.below(7);
      search.feed(std::string_view(text).substr(at, piece));
      at += piece;
    }
    CAPTURE(text);
    CAPTURE(needle);
    CHECK(search.found() == (text.find(needle) != std::string::npos));
  }
}

TEST_CASE("A hostile needle costs no more than a kind one") {
  const std::string needle = std::string(20'000, 'a') + 'b';
  const std::string text(4'000'000, 'a');  // 80,000,000,000 comparisons if it were quadratic
  CHECK_FALSE(found_in_pieces(text, needle, 65'536));
}

}  // namespace
}  // namespace postkeep::storage
