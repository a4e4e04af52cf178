#include "conformance/runner/pattern.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

// The data of "* X data".
std::vector<Value> values_of(const std::string& data) {
  imap::client::ResponseParser parser;
  parser.feed("* X " + data + "\r\n");
  return must(parser.next())->data;
}

struct Tried {
  bool fits;
  Variables variables;
};

Tried tried(const std::string& pattern, const std::string& data, Variables variables = {},
            Shape shape = Shape::sequence) {
  static const Fixtures fixtures = {{"plain", "A: b\r\n\r\n"}};
  Matcher matcher(variables, fixtures);
  const bool fits = matcher.fits(must(parse_patterns(pattern)), values_of(data), shape);
  return {fits, variables};
}

bool fits(const std::string& pattern, const std::string& data) { return tried(pattern, data).fits; }

}  // namespace

TEST_CASE("words, strings, NIL and lists fit what is the same") {
  CHECK(fits("FLAGS (a b)", "flags (A b)"));
  CHECK_FALSE(fits("(a b)", "(b a)"));
  CHECK_FALSE(fits("(a)", "(a b)"));
  CHECK(fits("\"Text\"", "\"Text\""));
  CHECK_FALSE(fits("\"Text\"", "\"text\""));
  CHECK(fits("NIL \"\"", "NIL \"\""));
  CHECK_FALSE(fits("NIL", "\"\""));
  CHECK(fits("BODY[HEADER.FIELDS (From)] _", "BODY[HEADER.FIELDS (FROM)] \"x\""));
  CHECK_FALSE(fits("a", "a b"));
}

TEST_CASE("what is left open: any value, any values, one of several") {
  CHECK(fits("_ b", "(x y) b"));
  CHECK(fits("a ...", "a b c"));
  CHECK(fits("a ...", "a"));
  CHECK(fits("(a ...)", "(a b)"));
  CHECK(fits("_ ... c ...", "a b c d"));
  CHECK_FALSE(fits("_ ... a", "a b c"));
  CHECK(fits("\"\"|NIL", "NIL"));
  CHECK(fits("\"\"|NIL", "\"\""));
  CHECK_FALSE(fits("\"\"|NIL", "x"));
  CHECK(fits("/^AU.H=/", "AUTH=PLAIN"));
  CHECK(fits("octets 3", "\"abc\""));
  CHECK_FALSE(fits("octets 3", "\"abcd\""));
}

TEST_CASE("sets are in any order, exactly or with others") {
  CHECK(fits("{a b}", "(b a)"));
  CHECK_FALSE(fits("{a b}", "(b a c)"));
  CHECK(fits("{a ...}", "(b a c)"));
  CHECK_FALSE(fits("{a d ...}", "(b a c)"));
  CHECK(fits("{_ b}", "(b a)"));
  CHECK(fits("{$x b} $x", "(b a) a"));
  CHECK_FALSE(fits("{a a}", "(a b)"));
  CHECK(fits("CAPABILITY {IDLE ...}", "CAPABILITY X IDLE Y"));
  CHECK_FALSE(fits("CAPABILITY {IDLE ...}", "CAPABILITY X Y"));
  CHECK(fits("set:1:3,7", "1,2,3,7"));
  CHECK_FALSE(fits("set:1:3", "1:4"));
}

TEST_CASE("names and values stand in any order, and others may be there unless only says no") {
  CHECK(tried("(UID 7 FLAGS {x ...})", "(FLAGS (y x) UID 7 SIZE 4)", {}, Shape::pairs).fits);
  CHECK_FALSE(tried("(UID 8)", "(FLAGS (y x) UID 7)", {}, Shape::pairs).fits);
  CHECK_FALSE(tried("only (UID 7)", "(FLAGS (y x) UID 7)", {}, Shape::pairs).fits);
  CHECK_FALSE(tried("only (UID _ UID _)", "(FLAGS (y x) UID 7)", {}, Shape::pairs).fits);
  CHECK(tried("only (UID _)|(FLAGS _ UID _)", "(FLAGS (y x) UID 7)", {}, Shape::pairs).fits);
  CHECK(tried("(ENVELOPE (a b))", "(ENVELOPE (a b))", {}, Shape::pairs).fits);
  CHECK_FALSE(tried("(ENVELOPE (b a))", "(ENVELOPE (a b))", {}, Shape::pairs).fits);
}

TEST_CASE("a variable is bound where it stands first and must be the same after") {
  CHECK(tried("$x 5", "4 5").variables.at("x") == "4");
  CHECK(fits("$x $x", "4 4"));
  CHECK_FALSE(fits("$x $x", "4 5"));
  CHECK(tried("$x 6", "4 5").variables.empty());
  CHECK(tried(">$x <=$x", "5 4", {{"x", "4"}}).fits);
  CHECK_FALSE(tried(">=$x", "3", {{"x", "4"}}).fits);
  CHECK(tried("$all...", "a b").variables.at("all") == "a b");
  CHECK(tried("(... $last _ _)", "(a 1 2 b 3 4)").variables.at("last") == "b");
  CHECK(tried("$all...", "a b", {{"all", "a b"}}).fits);
  CHECK_FALSE(tried("$all...", "a", {{"all", "a b"}}).fits);
  CHECK(tried("$box@@a", "m.a", {{"box", "m"}, {"@@", "."}}).fits);
  CHECK(fits("$Junk", "$Junk"));
  CHECK(tried("\"$box x\"", "\"m x\"", {{"box", "m"}}).fits);
}

TEST_CASE("fixtures and their own octets") {
  CHECK(fits("{{plain}}", "{8}\r\nA: b\r\n\r\n"));
  CHECK(fits("{{\"a\\r\\n\"}}", "{3}\r\na\r\n"));
  CHECK_FALSE(fits("{{plain}}", "\"A: b\""));
}

TEST_CASE("what cannot be read is said") {
  for (const char* text : {"(a", "{a", "/a", "{{plain", "only a", "a)", "/(/"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_patterns(text).has_value());
  }
}

TEST_CASE("escapes stand for octets") {
  CHECK(unescaped(R"(a\r\n\t\"\\\x41)") == "a\r\n\t\"\\A");
  CHECK(unescaped(R"(\xZZ)") == "xZZ");
  CHECK(has_bad_escape(R"(\xZZ)"));
  CHECK(has_bad_escape(R"(\x4)"));
  CHECK_FALSE(has_bad_escape(R"(\\x \x41)"));
}
