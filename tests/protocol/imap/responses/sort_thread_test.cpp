// SORT, ESEARCH in order, and THREAD data on the wire, whatever the pieces in which they are written.
#include <doctest/doctest.h>

#include "protocol/imap/client/response_parser.h"
#include "protocol/imap/responses/sort.h"
#include "protocol/imap/responses/thread.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

using Numbers = std::vector<std::uint32_t>;

std::string all_in_order(const Numbers& numbers, std::size_t piece) {
  std::string out;
  Writer writer(out);
  OrderedNumbers all;
  for (std::size_t at = 0; at < numbers.size(); at += piece) {
    all.write(writer, std::span(numbers).subspan(at, std::min(piece, numbers.size() - at)));
  }
  all.finish(writer);
  return out;
}

// A forest from numbers and the places of their parents; children and threads in this order.
struct Line {
  std::uint32_t number;
  std::uint32_t parent = ThreadForest::none;
};
ThreadForest forest_of(const std::vector<Line>& lines) {
  ThreadForest forest;
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    forest.nodes.push_back({lines[i].number, ThreadForest::none, ThreadForest::none});
    std::uint32_t* place =
        lines[i].parent == ThreadForest::none ? &forest.first_root : &forest.nodes[lines[i].parent].first_child;
    while (*place != ThreadForest::none) place = &forest.nodes[*place].next_sibling;
    *place = i;
  }
  return forest;
}

std::string thread_line(const ThreadForest& forest, std::size_t piece = 1000) {
  std::string out;
  Writer writer(out);
  ThreadResponse response(forest);
  response.start(writer);
  while (response.write_some(writer, piece)) {
  }
  return out;
}

}  // namespace

TEST_CASE("SORT data are numbers in their order") {
  std::string out;
  Writer writer(out);
  const Numbers numbers = {2, 84, 882, 3};
  write_sort_start(writer);
  write_sort_numbers(writer, std::span(numbers).first(2));
  write_sort_numbers(writer, std::span(numbers).subspan(2));
  write_sort_end(writer, std::nullopt);
  write_sort_start(writer);
  write_sort_numbers(writer, numbers);
  write_sort_end(writer, ModSeq(917));
  write_sort_start(writer);
  write_sort_end(writer, std::nullopt);
  CHECK(out == "* SORT 2 84 882 3\r\n* SORT 2 84 882 3 (MODSEQ 917)\r\n* SORT\r\n");
}

TEST_CASE("numbers in another order than ascending become ranges only where they ascend one by one") {
  for (const std::size_t piece : {1, 2, 3, 100}) {
    CAPTURE(piece);
    CHECK(all_in_order({5, 3, 4, 6, 7, 8, 2, 1}, piece) == " ALL 5,3:4,6:8,2,1");
    CHECK(all_in_order({1, 2, 3}, piece) == " ALL 1:3");
    CHECK(all_in_order({3, 2, 1}, piece) == " ALL 3,2,1");
    CHECK(all_in_order({UINT32_MAX, 1}, piece) == " ALL 4294967295,1");
    CHECK(all_in_order({}, piece).empty());
  }
}

TEST_CASE("the start of ESEARCH data has all but the numbers") {
  std::string out;
  Writer writer(out);
  EsearchData data;
  data.tag = "E01";
  data.uid = UidForm::yes;
  data.count = 3;
  write_esearch_start(writer, data);
  CHECK(out == "* ESEARCH (TAG \"E01\") UID COUNT 3");
}

TEST_CASE("THREAD data nest where a message has several answers") {
  const std::uint32_t none = ThreadForest::none;
  const std::vector<std::pair<std::vector<Line>, std::string>> rows = {
      {{}, "* THREAD\r\n"},
      {{{2}}, "* THREAD (2)\r\n"},
      {{{2}, {3}, {6, 1}, {4, 2}, {23, 3}, {44, 2}, {7, 5}, {96, 6}}, "* THREAD (2)(3 6 (4 23)(44 7 96))\r\n"},
      {{{0}, {3, 0}, {5, 0}}, "* THREAD ((3)(5))\r\n"},
      {{{0}, {3, 0}, {5, 0}, {6, 2}, {7, 2}, {9, none}}, "* THREAD ((3)(5 (6)(7)))(9)\r\n"},
      {{{1}, {2, 0}, {3, 1}, {4, 1}, {5, 0}}, "* THREAD (1 (2 (3)(4))(5))\r\n"},
  };
  for (const auto& row : rows) {
    for (const std::size_t piece : {1, 2, 100}) CHECK(thread_line(forest_of(row.first), piece) == row.second);
  }
}

TEST_CASE("a chain and a nest of a hundred thousand messages are written without recursion") {
  const std::uint32_t count = 100'000;
  ThreadForest chain;
  ThreadForest nest;  // each message has two answers, of which the second has all that follow
  for (std::uint32_t i = 0; i < count; ++i) {
    chain.nodes.push_back({i + 1, i + 1 < count ? i + 1 : ThreadForest::none, ThreadForest::none});
    nest.nodes.push_back({2 * i + 1, ThreadForest::none, 2 * i + 1});
    nest.nodes.push_back({2 * i + 2, i + 1 < count ? 2 * i + 2 : ThreadForest::none, ThreadForest::none});
  }
  chain.first_root = nest.first_root = 0;
  const std::string line = thread_line(chain);
  CHECK(line.starts_with("* THREAD (1 2 3 "));
  CHECK(line.ends_with(" 99999 100000)\r\n"));
  const std::string nested = thread_line(nest);
  CHECK(nested.starts_with("* THREAD (1)(2 (3)(4 (5)(6 "));
  CHECK(nested.ends_with("(199999)(200000" + std::string(count, ')') + "\r\n"));
}
