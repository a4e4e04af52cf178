#include "storage/needle_filter.h"

#include <doctest/doctest.h>

#include "protocol/text/casemap.h"
#include "tests/support/random.h"

namespace postkeep::storage {
namespace {

TEST_CASE("A needle is seen wherever it stands, in any case, and its like are not taken for it") {
  const NeedleFilter filter(text::fold("Needle.7"));
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t after = 0; after < 40; ++after) {
      const std::string left(before, 'e');
      const std::string right(after, 'e');
      REQUIRE(filter.may_be_in(left + "nEEdle.7" + right));
      REQUIRE_FALSE(filter.may_be_in(left +
                                     "needle\x0E"
                                     "7" +
                                     right));
      REQUIRE_FALSE(filter.may_be_in(left + "needle.\x17" + right));
      REQUIRE_FALSE(filter.may_be_in(left + "needle." + right));
    }
  }
}

TEST_CASE("Of a needle with spaces one word is looked for, since a fold may stand for each") {
  CHECK(NeedleFilter("A LONGER WORD").may_be_in("a\r\n longer\r\n word"));
  CHECK_FALSE(NeedleFilter("A LONGER WORD").may_be_in("a long word"));
  CHECK(NeedleFilter(" \t ").may_be_in("x"));
}

TEST_CASE("ASCII has no needle that is none, and a needle with line ends is for nobody to judge") {
  CHECK_FALSE(NeedleFilter(text::fold("Grüße")).may_be_in("Gruesse, Grusse"));
  CHECK(NeedleFilter("A B").works_by_parts());
  CHECK_FALSE(NeedleFilter("A\nB").works_by_parts());
  CHECK_FALSE(NeedleFilter("").works_by_parts());
}

TEST_CASE("Whatever the needle, no text that has it is ruled out, nor one let through that lacks its only word") {
  test::Random random(11);
  constexpr std::string_view octets = "aAbBzZ09.@[{`\x10\x19~!";
  for (int round = 0; round < 20'000; ++round) {
    std::string raw;
    for (std::uint32_t i = random.below(90); i > 0; --i) raw += octets[random.below(octets.size())];
    std::string needle;
    for (std::uint32_t i = random.below(5) + 1; i > 0; --i) needle += octets[random.below(octets.size())];
    if (!raw.empty() && random.one_in(2))
      needle = raw.substr(random.below(static_cast<std::uint32_t>(raw.size())), random.below(50) + 1);
    needle = text::fold(needle);
    CAPTURE(raw);
    CAPTURE(needle);
    const bool has = text::fold(raw).find(needle) != std::string::npos;
    const bool one_word = needle.size() <= 32 && needle.find_first_of("\x10\x19") == std::string::npos;
    const bool may = NeedleFilter(needle).may_be_in(raw);
    if (has) CHECK(may);
    if (one_word) CHECK(may == has);
  }
}

TEST_CASE("A hostile needle costs no more than a kind one") {
  const NeedleFilter filter(std::string(20'000, 'A') + 'B');
  CHECK(filter.may_be_in(std::string(4'000'000, 'a')));
  CHECK_FALSE(NeedleFilter("B" + std::string(20'000, 'A')).may_be_in(std::string(4'000'000, 'a')));
}

}  // namespace
}  // namespace postkeep::storage
