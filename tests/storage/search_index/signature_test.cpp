#include "storage/search_index/signature.h"

#include <doctest/doctest.h>

#include "tests/support/random.h"

namespace postkeep::storage {
namespace {

std::string random_text(test::Random& random, std::size_t octets) {
  std::string text;
  for (std::size_t i = 0; i < octets; ++i)
    text += static_cast<char>(random.below(4) == 0 ? random.below(256) : 'A' + random.below(8));
  return text;
}

bool may_contain(std::string_view bits, std::string_view needle) {
  const auto rows = static_cast<std::uint32_t>(bits.size() * 8);
  for (const std::uint32_t hash : hashes_of(needle, 16)) {
    if (!is_set(bits, hash & (rows - 1))) return false;
  }
  return true;
}

TEST_CASE("A signature has every needle that the text has, however the text was cut and however many rows it has") {
  test::Random random(20261128);
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_text(random, random.below(3000));
    SignatureMaker maker;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t piece = random.below(7) == 0 ? 0 : 1 + random.below(50);
      maker.feed(std::string_view(text).substr(at, piece));
      at += piece;
    }
    const Signature made = maker.finish();
    for (int i = 0; i < 20 && !text.empty(); ++i) {
      const std::string needle = text.substr(random.below(static_cast<std::uint32_t>(text.size())), random.below(40));
      for (const std::uint32_t rows : {signature_rows_min, std::uint32_t{2048}, signature_rows_max}) {
        CHECK(may_contain(with_rows(made.bits, rows), needle));
      }
      CHECK(may_contain(made.bits, needle));
      // Fewer rows and then more again: what was lost stays lost, but nothing is denied.
      CHECK(may_contain(with_rows(with_rows(made.bits, signature_rows_min), signature_rows_max), needle));
    }
  }
}

TEST_CASE("A signature lacks most needles that the text lacks") {
  test::Random random(7);
  SignatureMaker maker;
  maker.feed(random_text(random, 5000));
  const std::string bits = maker.finish().bits;
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string needle;
    for (int c = 0; c < 8; ++c) needle += static_cast<char>('a' + random.below(26));
    taken += may_contain(bits, needle) ? 1 : 0;
  }
  CHECK(taken < 10);
}

TEST_CASE("A needle below three octets has no trigrams, a long one is asked about in part") {
  CHECK(hashes_of("", 16).empty());
  CHECK(hashes_of("ab", 16).empty());
  CHECK(hashes_of("abc", 16).size() == 1);
  CHECK(hashes_of("aaaaaaaa", 16).size() == 1);
  CHECK(hashes_of(std::string(1000, 'x') + "and much else that differs", 16).size() <= 16);
}

TEST_CASE("Rows grow with the trigrams within limits") {
  CHECK(signature_rows_for(0) == signature_rows_min);
  CHECK(signature_rows_for(1000) == 4096);
  CHECK(signature_rows_for(60'000) == signature_rows_max);
}

}  // namespace
}  // namespace postkeep::storage
