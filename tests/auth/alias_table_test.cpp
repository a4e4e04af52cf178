#include "auth/alias_table.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::auth;

namespace {

using Targets = std::vector<std::string>;

Targets targets_of(const AliasTable& table, std::string_view name) {
  const Targets* found = table.find(name);
  return found == nullptr ? Targets() : *found;
}

std::string refusal(std::string_view text) {
  const auto parsed = AliasTable::parse(text);
  return parsed ? std::string() : parsed.error().text;
}

}  // namespace

TEST_CASE("aliases are read with comments, continuations and blanks") {
  const auto table = AliasTable::parse(
      "# who gets what\n"
      "postmaster: alice\r\n"
      "sales@Example.NET :  alice,bob+sales ,\n"
      "\tcarol@example.net\n"
      "\n"
      "  # still nothing\n"
      "@example.com: bob");
  REQUIRE(table);
  CHECK(table->size() == 3);
  CHECK(targets_of(*table, "Postmaster") == Targets{"alice"});
  CHECK(targets_of(*table, "SALES@example.net") == Targets{"alice", "bob+sales", "carol@example.net"});
  CHECK(targets_of(*table, "@EXAMPLE.com") == Targets{"bob"});
  CHECK(table->find("sales") == nullptr);
  CHECK(AliasTable::parse("")->size() == 0);
}

TEST_CASE("what is no alias is refused with its line") {
  CHECK(refusal("a: b\nno colon\n").starts_with("line 2: "));
  CHECK(refusal("a: b\na: c\n").starts_with("line 2: "));
  CHECK(refusal("a: b\nA : c\n").starts_with("line 2: "));
  CHECK(refusal(" a: b\n").starts_with("line 1: "));
  for (const char* text :
       {"a:", ": b", "a: ,", "a b: c", "a: \"|cat\"", "a: |cat", "a: /var/mail/x", "a: :include:/x", "a: <b@c>",
        "a: @d", "a@: b", "@: b", "a@b@c: d", "a: b c", "\xFF: b", "a: b\xFF", "a;x: b"}) {
    CHECK_MESSAGE(refusal(text).starts_with("line 1: "), text);
  }
  std::string many = "all: u0";
  for (std::size_t i = 1; i <= alias_targets_max; ++i) many += ", u" + std::to_string(i);
  CHECK(refusal(many) == "line 1: there are too many targets");
}
