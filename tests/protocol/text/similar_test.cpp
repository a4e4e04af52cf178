#include "protocol/text/similar.h"

#include <doctest/doctest.h>

#include <string>

using namespace postkeep;

namespace {

std::string nearest(std::string_view wanted, std::initializer_list<std::string_view> names) {
  text::NearestName near(wanted);
  for (const std::string_view name : names) near.offer(name);
  return std::string(near.best());
}

}  // namespace

TEST_CASE("the distance of two texts is the number of octets to change") {
  CHECK(text::edit_distance("", "") == 0);
  CHECK(text::edit_distance("abc", "") == 3);
  CHECK(text::edit_distance("", "abc") == 3);
  CHECK(text::edit_distance("alice", "alise") == 1);
  CHECK(text::edit_distance("kitten", "sitting") == 3);
  CHECK(text::edit_distance("lsit", "list") == 1);
  CHECK(text::edit_distance("ba", "abc") == 2);
}

TEST_CASE("the nearest name is offered, and none that is too far away") {
  CHECK(nearest("alise", {"bob", "alice", "alina"}) == "alice");
  CHECK(nearest("ALISE", {"alice"}) == "alice");
  CHECK(nearest("alice", {"alicia"}) == "alicia");
  CHECK(nearest("zoe", {"alice", "bob"}) == "");
  CHECK(nearest("bo", {"bob"}) == "bob");
  CHECK(nearest("ab", {"xy"}) == "");
  CHECK(nearest("", {"a"}) == "a");
  CHECK(nearest("alice", {}) == "");
}

TEST_CASE("of equally near names the first is taken, and long ones cost nothing") {
  CHECK(nearest("bill", {"bell", "ball"}) == "bell");
  CHECK(nearest(std::string(1000, 'a'), {std::string_view("a")}) == "");
}
