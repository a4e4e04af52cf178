#include "protocol/mail/uid_set.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "protocol/base/ensure.h"
#include "protocol/mail/limits.h"

using namespace postkeep;

namespace {

UidSet set_of(const char* wire) { return UidSet::from_wire(wire).value(); }

// The same set as the simplest thing that can hold one.
std::set<std::uint32_t> model_of(const UidSet& set) {
  std::set<std::uint32_t> model;
  set.for_each([&](Uid uid) { model.insert(uid.value()); });
  return model;
}

void check_normal(const UidSet& set) {
  for (std::size_t i = 0; i < set.ranges().size(); ++i) {
    CHECK(set.ranges()[i].first <= set.ranges()[i].last);
    if (i > 0) CHECK(set.ranges()[i - 1].last.value() + 1 < set.ranges()[i].first.value());
  }
}

}  // namespace

TEST_CASE("a UID set prints sorted, disjoint ranges whatever was written") {
  CHECK(set_of("1").to_wire() == "1");
  CHECK(set_of("3,1,2").to_wire() == "1:3");
  CHECK(set_of("5:3,9,8:8").to_wire() == "3:5,8:9");
  CHECK(set_of("1:10,2:3").to_wire() == "1:10");
  CHECK(set_of("4294967295,1").to_wire() == "1,4294967295");
  CHECK(UidSet().to_wire().empty());
}

TEST_CASE("what is no UID set is refused") {
  for (const char* text : {"", "0", "01", "1,", ",1", "1:", ":1", "1::2", "1:2:3", "*", "1:*", "$", "a", "1 ", " 1",
                           "-1", "4294967296", "99999999999999999999", "1,,2"}) {
    CAPTURE(text);
    CHECK_FALSE(UidSet::from_wire(text));
  }
}

TEST_CASE("UID sets agree with a plain set through random operations") {
  std::mt19937 random(20240607);
  const auto upto = [&](std::uint32_t n) { return 1 + static_cast<std::uint32_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    UidSet a, b;
    std::set<std::uint32_t> model_a, model_b;
    for (int step = 0; step < 30; ++step) {
      const std::uint32_t first = upto(60);
      const std::uint32_t last = first + upto(5) - 1;
      UidSet& set = step % 2 == 0 ? a : b;
      std::set<std::uint32_t>& model = step % 2 == 0 ? model_a : model_b;
      if (step % 5 == 4) {
        set.remove(Uid(first));
        model.erase(first);
      } else {
        set.add_range(Uid(first), Uid(last));
        for (std::uint32_t v = first; v <= last; ++v) model.insert(v);
      }
      check_normal(set);
      REQUIRE(model_of(set) == model);
    }
    std::set<std::uint32_t> both = model_a, common, only_a;
    both.insert(model_b.begin(), model_b.end());
    for (const auto v : model_a) (model_b.count(v) != 0 ? common : only_a).insert(v);
    REQUIRE(model_of(a.union_with(b)) == both);
    REQUIRE(model_of(a.intersect(b)) == common);
    REQUIRE(model_of(a.subtract(b)) == only_a);
    check_normal(a.subtract(b));
    REQUIRE(a.size() == model_a.size());
    for (std::uint32_t v = 0; v <= 70; ++v) REQUIRE(a.contains(Uid(v)) == (model_a.count(v) != 0));
    if (!a.empty()) {
      REQUIRE(set_of(a.to_wire().c_str()) == a);
      REQUIRE(a.min().value() == *model_a.begin());
      REQUIRE(a.max().value() == *model_a.rbegin());
    }
  }
}

TEST_CASE("the largest UID does not wrap around") {
  UidSet set = UidSet::of_range(Uid(4294967290U), Uid(4294967295U));
  CHECK(set.size() == 6);
  std::size_t visited = 0;
  set.for_each([&](Uid) { ++visited; });
  CHECK(visited == 6);
  CHECK(set.union_with(UidSet{Uid(1)}).to_wire() == "1,4294967290:4294967295");
  CHECK(UidSet::of_range(Uid(1), Uid(4294967295U)).subtract(set).to_wire() == "1:4294967289");
  set.add(Uid(1));
  CHECK(set.ranges().size() == 2);
  CHECK(set.subtract(UidSet{Uid(4294967295U)}).max() == Uid(4294967294U));
}

TEST_CASE("the ends of an empty UID set cannot be asked for") {
  CHECK_THROWS_AS(UidSet().min(), BugError);
  CHECK_THROWS_AS(UidSet().max(), BugError);
}

TEST_CASE("a sequence set keeps what the client wrote") {
  const auto parsed = SequenceSet::parse("2,4:7,*,12:*,*:4").value();
  CHECK(parsed.ranges == std::vector<SequenceSet::Range>{{2, 2}, {4, 7}, {0, 0}, {12, 0}, {0, 4}});
  CHECK_FALSE(parsed.saved_result);
  CHECK(SequenceSet::parse("$").value().saved_result);
}

TEST_CASE("a sequence set resolves as the examples of RFC 9051 say") {
  const auto resolve = [](const char* text, std::uint32_t largest) {
    return SequenceSet::parse(text).value().resolve(largest).to_wire();
  };
  CHECK(resolve("2,4:7,9,12:*", 15) == "2,4:7,9,12:15");
  CHECK(resolve("*:4,5:7", 10) == "4:10");
  CHECK(resolve("3291:*", 100) == "100:3291");  // always includes the largest, also below 3291
  CHECK(resolve("4:2", 10) == "2:4");
  CHECK(resolve("*", 7) == "7");
  CHECK(resolve("*", 0).empty());
  CHECK(resolve("1:*", 0).empty());
  CHECK(resolve("5", 0) == "5");
}

TEST_CASE("what is no sequence set is refused") {
  for (const char* text : {"", "0", "0:1", "1:0", "*1", "1*", "**", "$,1", "1,$", "1:$", "1,", "1:2:*", "+1", "1 2"}) {
    CAPTURE(text);
    CHECK_FALSE(SequenceSet::parse(text));
  }
}

TEST_CASE("a sequence set has at most its limit of ranges") {
  std::string text = "1";
  for (std::size_t i = 1; i < limits::sequence_ranges_max; ++i) text += ",1";
  CHECK(SequenceSet::parse(text));
  CHECK_FALSE(SequenceSet::parse(text + ",1"));
}
