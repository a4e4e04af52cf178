#include "protocol/mail/flags.h"

#include <doctest/doctest.h>

using namespace postkeep;

namespace {

Flags flags_of(std::initializer_list<const char*> names) {
  Flags flags;
  for (const char* name : names) REQUIRE(flags.add_from_wire(name));
  return flags;
}

}  // namespace

TEST_CASE("system flags are read in any case and written in one") {
  CHECK(flags_of({"\\seen", "\\ANSWERED", "\\Draft", "\\flagged", "\\dElEtEd"}).to_wire() ==
        "\\Answered \\Flagged \\Deleted \\Seen \\Draft");
  CHECK(flags_of({"\\Seen"}).has(SystemFlag::seen));
  CHECK_FALSE(flags_of({"\\Seen"}).has(SystemFlag::draft));
}

TEST_CASE("a keyword keeps its first spelling and has no case") {
  const Flags flags = flags_of({"$Junk", "$JUNK", "zebra", "Apple"});
  CHECK(flags.to_wire() == "$Junk Apple zebra");
  CHECK(flags.has_keyword("$junk"));
  CHECK_FALSE(flags.has_keyword("$jun"));
  CHECK(flags == flags_of({"APPLE", "ZEBRA", "$junk"}));
  CHECK_FALSE(flags == flags_of({"APPLE", "$junk"}));
}

TEST_CASE("what clients cannot set is refused, each for its reason") {
  Flags flags;
  CHECK(flags.add_from_wire("\\Recent").error().kind == ErrorKind::client_bug);
  for (const char* text :
       {"", "\\", "\\Unknown", "\\*", "two words", "par(en", "per%cent", "bra]cket", "\"q\"", "caf\xC3\xA9"}) {
    CAPTURE(text);
    const auto outcome = flags.add_from_wire(text);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().kind == ErrorKind::bad_syntax);
  }
  CHECK_FALSE(flags.add_from_wire(std::string(256, 'k')));
  CHECK(flags.empty());
}

TEST_CASE("STORE replaces, adds and removes") {
  const Flags before = flags_of({"\\Seen", "$Junk", "Work"});
  const Flags operand = flags_of({"\\Draft", "$JUNK"});
  CHECK(apply(before, FlagChange::add, operand).to_wire() == "\\Seen \\Draft $Junk Work");
  CHECK(apply(before, FlagChange::remove, operand).to_wire() == "\\Seen Work");
  CHECK(apply(before, FlagChange::replace, operand).to_wire() == "\\Draft $Junk");
  CHECK(apply(before, FlagChange::replace, Flags()).empty());
}
