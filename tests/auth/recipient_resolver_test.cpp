#include "auth/recipient_resolver.h"

#include <doctest/doctest.h>

#include "auth/user_name.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

// The users alice, bob, "mary-ann" and dave@other.example; example.org is ours.
class Resolving {
 public:
  explicit Resolving(std::string_view aliases = {}) {
    rules_.domains = {"example.org"};
    auto table = AliasTable::parse(aliases);
    REQUIRE(table);
    rules_.aliases = std::make_shared<const AliasTable>(std::move(*table));
  }
  Resolving& delimiters(std::string any_of) {
    rules_.delimiters = std::move(any_of);
    return *this;
  }
  // "alice|detail bob|", or the kind of the error.
  std::string whom(std::string_view address) {
    const auto found = resolve_recipients(address, rules_, find_);
    if (!found) return std::string(to_string(found.error().kind));
    problem = found->problem;
    std::string out;
    for (const Recipient& each : found->recipients) out += (out.empty() ? "" : " ") + each.user + "|" + each.detail;
    return out;
  }
  std::string user(std::string_view address) {
    const auto found = resolve_user(address, rules_, find_);
    return found ? found->user + "|" + found->detail : std::string(to_string(found.error().kind));
  }
  std::string problem;

 private:
  RecipientRules rules_;
  const FindUser find_ = [](std::string_view name) -> Result<std::optional<std::string>> {
    if (name == "broken") return failure(ErrorKind::unavailable, "down");
    for (const char* user : {"alice", "bob", "mary-ann", "dave@other.example"}) {
      if (user_key(user) == user_key(name)) return std::optional<std::string>(user);
    }
    return std::optional<std::string>();
  };
};

}  // namespace

TEST_CASE("users are found by their whole name, without our domain, and without a detail") {
  Resolving resolving;
  CHECK(resolving.whom("alice") == "alice|");
  CHECK(resolving.whom("Alice@Example.ORG") == "alice|");
  CHECK(resolving.whom("alice+Lists.x@localhost") == "alice|Lists.x");
  CHECK(resolving.whom("alice+a+b") == "alice|a+b");
  CHECK(resolving.whom("dave@other.example") == "dave@other.example|");
  CHECK(resolving.whom("dave+x@OTHER.example") == "dave@other.example|x");
  for (const char* nobody :
       {"", "@", "@example.org", "+x", "+x@example.org", "alice@other.example", "dave", "nobody+x"}) {
    CHECK_MESSAGE(resolving.whom(nobody) == "not_found", nobody);
  }
  CHECK(resolving.whom(std::string(600, 'a')) == "not_found");
  CHECK(resolving.whom("broken") == "unavailable");
}

TEST_CASE("the delimiter is a setting, and a user whose name has it is found first") {
  CHECK(Resolving().delimiters("").whom("alice+x") == "not_found");
  CHECK(Resolving().delimiters("-").whom("mary-ann") == "mary-ann|");
  CHECK(Resolving().delimiters("-").whom("alice-x+y") == "alice|x+y");
  CHECK(Resolving().delimiters("+-").whom("alice-x+y") == "alice|x+y");
  CHECK(Resolving().delimiters("+-").whom("alice+x-y") == "alice|x-y");
}

TEST_CASE("an alias comes before the user of its name, and its targets are resolved like addresses") {
  Resolving resolving(
      "postmaster: alice\n"
      "sales@example.org: alice+own, bob@example.org, nobody\n"
      "team: sales@example.org, alice\n"
      "bob: bob, alice\n"
      "info@other.example: dave@other.example\n"
      "lists+dev: alice\n");
  CHECK(resolving.whom("POSTMASTER@localhost") == "alice|");
  CHECK(resolving.whom("postmaster+x@example.org") == "alice|x");
  CHECK(resolving.whom("postmaster@other.example") == "not_found");
  CHECK(resolving.whom("sales@example.org") == "alice|own bob| alice|");
  CHECK(resolving.problem == "targets that are nobody: nobody");
  CHECK(resolving.whom("sales") == "not_found");
  CHECK(resolving.whom("sales+eu@example.org") == "alice|own bob|eu alice|eu");
  CHECK(resolving.whom("team") == "alice|own bob| alice|");
  CHECK(resolving.whom("bob") == "bob| alice|");
  CHECK(resolving.whom("bob+x") == "bob|x alice|x");
  CHECK(resolving.whom("info@Other.Example") == "dave@other.example|");
  CHECK(resolving.whom("lists+dev") == "alice|");
  CHECK(resolving.whom("lists+other") == "not_found");
  CHECK(resolving.user("bob+x@example.org") == "bob|x");
  CHECK(resolving.user("postmaster") == "not_found");
}

TEST_CASE("who catches all of a domain gets what nobody else has there") {
  Resolving resolving("@other.example: bob\n@example.org: nobody\n@both.example: alice, bob\n");
  CHECK(resolving.whom("anything@other.example") == "bob|");
  CHECK(resolving.whom("any+thing@other.example") == "bob|");
  CHECK(resolving.whom("dave@other.example") == "dave@other.example|");
  CHECK(resolving.whom("dave+x@other.example") == "dave@other.example|x");
  CHECK(resolving.whom("x@both.example") == "alice| bob|");
  CHECK(resolving.whom("alice@example.org") == "alice|");
  CHECK(resolving.whom("zoe@example.org") == "not_found");
  CHECK(resolving.whom("zoe") == "not_found");
}

TEST_CASE("aliases that lead in a circle, too deep or to too many put mail off and end") {
  Resolving circle("a: b\nb: c\nc: a\nmixed: a, alice\nself: self\n@loop.example: x@loop.example\n");
  CHECK(circle.whom("a") == "unavailable");
  CHECK(circle.whom("self") == "unavailable");
  CHECK(circle.whom("y@loop.example") == "unavailable");
  CHECK(circle.whom("mixed") == "alice|");
  std::string chain = "deep: d1\nshallow: d3\n";
  for (std::size_t i = 1; i <= alias_depth_max; ++i) {
    chain += "d" + std::to_string(i) + ": " + (i == alias_depth_max ? "alice" : "d" + std::to_string(i + 1)) + "\n";
  }
  CHECK(Resolving(chain).whom("deep") == "unavailable");
  CHECK(Resolving(chain).whom("shallow") == "alice|");
  // Each alias names the next one many times: a million ways, which are not all gone.
  std::string wide;
  for (int i = 0; i < 6; ++i) {
    wide += "w" + std::to_string(i) + ": ";
    for (int j = 0; j < 10; ++j) wide += "w" + std::to_string(i + 1) + ", ";
    wide += "\n";
  }
  CHECK(Resolving(wide + "w6: alice\n").whom("w0") == "unavailable");
}
