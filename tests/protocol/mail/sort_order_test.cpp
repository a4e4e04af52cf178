#include "protocol/mail/sort_order.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/random.h"

using namespace postkeep;

namespace {

using Numbers = std::vector<std::uint32_t>;

SortCriterion up(SortKey key) { return SortCriterion{key, false}; }
SortCriterion down(SortKey key) { return SortCriterion{key, true}; }

}  // namespace

TEST_CASE("rows are ordered by one criterion, and where it does not decide by their number") {
  for (const bool reverse : {false, true}) {
    SortTable table({SortCriterion{SortKey::size, reverse}});
    const std::int64_t sizes[] = {5, 3, 5, -1, 3};
    for (std::uint32_t i = 0; i < std::size(sizes); ++i) {
      table.begin_row(10 + i);
      table.add_number(sizes[i]);
    }
    // REVERSE does not turn the order of those that are equal.
    CHECK(table.order() == (reverse ? Numbers{10, 12, 11, 14, 13} : Numbers{13, 11, 14, 10, 12}));
  }
}

TEST_CASE("text is ordered octet by octet, the empty one first") {
  SortTable table({up(SortKey::subject)});
  const char* const texts[] = {"b", "", "ab", "\xC3\xBC", "a"};
  for (std::uint32_t i = 0; i < std::size(texts); ++i) {
    table.begin_row(i + 1);
    table.add_text(texts[i]);
  }
  CHECK(table.order() == Numbers{2, 5, 3, 1, 4});
}

TEST_CASE("a criterion that stands twice decides once") {
  const SortTable table({up(SortKey::to), down(SortKey::date), down(SortKey::to), up(SortKey::date)});
  CHECK(table.criteria() == std::vector<SortCriterion>{up(SortKey::to), down(SortKey::date)});
  CHECK(SortTable({up(SortKey::to)}).order().empty());
}

TEST_CASE("several criteria order as a stable sort by the last to the first does") {
  test::Random random(5256);
  for (int round = 0; round < 200; ++round) {
    const std::vector<SortCriterion> criteria = {SortCriterion{SortKey::subject, random.one_in(2)},
                                                 SortCriterion{SortKey::date, random.one_in(2)},
                                                 SortCriterion{SortKey::from, random.one_in(2)}};
    struct Row {
      std::uint32_t number;
      std::string subject;
      std::int64_t date;
      std::string from;
    };
    std::vector<Row> rows;
    SortTable table(criteria);
    for (std::uint32_t i = 1; i <= 40; ++i) {
      Row row{i, std::string(random.below(3), 'x'), random.below(4),
              std::string(1, static_cast<char>('a' + random.below(3)))};
      table.begin_row(row.number);
      table.add_text(row.subject);
      table.add_number(row.date);
      table.add_text(row.from);
      rows.push_back(row);
    }
    const auto by = [&](auto member, bool reverse) {
      std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
        return reverse ? b.*member < a.*member : a.*member < b.*member;
      });
    };
    by(&Row::from, criteria[2].reverse);
    by(&Row::date, criteria[1].reverse);
    by(&Row::subject, criteria[0].reverse);
    Numbers expected;
    for (const Row& row : rows) expected.push_back(row.number);
    REQUIRE(table.order() == expected);
  }
}

TEST_CASE("texts are told apart wherever they differ, by what std::string says") {
  test::Random random(7);
  for (int round = 0; round < 300; ++round) {
    const bool reverse = random.one_in(2);
    SortTable table({SortCriterion{SortKey::subject, reverse}});
    std::vector<std::pair<std::string, std::uint32_t>> rows;
    for (std::uint32_t i = 1; i <= 60; ++i) {
      // Much in common, NUL octets, and lengths around the size of a word.
      std::string text(random.below(3) * 7, 'x');
      for (std::uint32_t n = random.below(9); n > 0; --n) text += "\0a\xFF"[random.below(3)];
      table.begin_row(i);
      table.add_text(text);
      rows.emplace_back(std::move(text), i);
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const auto& a, const auto& b) { return reverse ? b.first < a.first : a.first < b.first; });
    Numbers expected;
    for (const auto& [text, number] : rows) expected.push_back(number);
    REQUIRE(table.order() == expected);
  }
}
