#include "protocol/imap/cursor.h"

#include <doctest/doctest.h>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"
#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

FramedCommand line(std::string text) { return FramedCommand::of_line(std::move(text)); }

// The value if `read` succeeds and nothing is left, else what went wrong.
template <class Read>
std::string value(const FramedCommand& command, Read read) {
  Cursor cursor(command);
  auto result = read(cursor);
  if (!result) return "error";
  return cursor.at_end() ? *result : "rest after " + *result;
}

std::string astring(const FramedCommand& c) {
  return value(c, [](Cursor& cursor) { return cursor.astring(); });
}
std::string quoted(const std::string& s) {
  return value(line(s), [](Cursor& cursor) { return cursor.quoted(); });
}

}  // namespace

TEST_CASE("quoted strings are unquoted") {
  CHECK(quoted("\"\"") == "");
  CHECK(quoted("\"a b\"") == "a b");
  CHECK(quoted("\"a\\\\b\\\"c\"") == "a\\b\"c");
  CHECK(quoted("\"\\\\\"") == "\\");
  CHECK(quoted("\"{5}\"") == "{5}");
  CHECK(quoted("\"caf\xC3\xA9\"") == "caf\xC3\xA9");
}

TEST_CASE("where only UTF-8 may be quoted, other octets beyond ASCII are refused") {
  const auto utf8 = [](const std::string& s) {
    const FramedCommand command = line(s);
    return Cursor(command, QuotedOctets::utf8).quoted().has_value();
  };
  for (const std::string text :
       {"\"\"", "\"a\\\"b\"", "\"\xC3\xA9\"", "\"\xF0\x9F\x98\x80\"", "\"\xE2\x82\xAC\\\\\""}) {
    CAPTURE(text);
    CHECK(utf8(text));
  }
  for (const std::string text : {"\"\xFF\"", "\"\xC3\"", "\"\xC3\\\"\xA9\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"",
                                 "\"\xF4\x90\x80\x80\"", "\"caf\xE9\""}) {
    CAPTURE(text);
    CHECK_FALSE(utf8(text));
  }
}

TEST_CASE("what is no quoted string is refused") {
  for (const std::string text : {"", "\"", "\"a", "\"a\\\"", "\"a\\b\"", "\"\\", "a", "\"a\rb\""}) {
    CAPTURE(text);
    CHECK(quoted(text) == "error");
  }
  CHECK(quoted(std::string("\"a\0b\"", 5)) == "error");
}

TEST_CASE("a quoted string holds every octet but NUL, CR, LF, and the two specials only escaped") {
  for (int b = 0; b < 256; ++b) {
    const std::string one(1, static_cast<char>(b));
    const bool special = b == '"' || b == '\\';
    const bool allowed = b != 0 && b != '\r' && !special;
    CAPTURE(b);
    if (b == '\n') continue;  // ends the line before any cursor sees it
    CHECK((quoted("\"" + one + "\"") == one) == allowed);
    CHECK((quoted("\"\\" + one + "\"") == one) == special);
  }
}

TEST_CASE("atoms and astrings hold the octets of their productions and no others") {
  for (int b = 0; b < 256; ++b) {
    const std::string one(1, static_cast<char>(b));
    const FramedCommand command = line("x" + one + "x");
    CAPTURE(b);
    CHECK((value(command, [](Cursor& c) { return c.atom(); }) == "x" + one + "x") == ascii::is_atom_char(one[0]));
    CHECK((astring(command) == "x" + one + "x") == ascii::is_astring_char(one[0]));
    CHECK((value(command, [](Cursor& c) { return c.list_mailbox(); }) == "x" + one + "x") ==
          ascii::is_list_char(one[0]));
    CHECK((value(command, [](Cursor& c) { return c.tag(); }) == "x" + one + "x") == ascii::is_tag_char(one[0]));
  }
}

TEST_CASE("astrings come as atom, quoted string or literal") {
  CHECK(astring(line("abc")) == "abc");
  CHECK(astring(line("\"a c\"")) == "a c");
  CHECK(astring(framed("{3}\r\na\rc")) == "a\rc");
  CHECK(astring(framed("{0+}\r\n")) == "");
  CHECK(astring(line("")) == "error");
  CHECK(astring(line("(")) == "error");
  CHECK(astring(line("abc def")) == "rest after abc");
}

TEST_CASE("a string literal holds no NUL and is no literal8") {
  CHECK(astring(framed(std::string("{3+}\r\na\0b", 9))) == "error");
  CHECK(astring(framed("~{3+}\r\nabc")) == "error");
}

TEST_CASE("NIL is nil only where nothing follows it") {
  const FramedCommand nil = line("nil"), word = line("\"NIL\""), longer = line("NILS");
  CHECK_FALSE(Cursor(nil).nstring().value());
  CHECK(Cursor(word).nstring().value() == "NIL");
  CHECK_FALSE(Cursor(longer).nstring());
}

TEST_CASE("numbers stay within their range") {
  const auto number = [](const char* text) {
    const FramedCommand command = line(text);
    const auto n = Cursor(command).number();
    return n ? std::to_string(*n) : std::string("error");
  };
  const auto number64 = [](const char* text) {
    const FramedCommand command = line(text);
    const auto n = Cursor(command).number64();
    return n ? std::to_string(*n) : std::string("error");
  };
  CHECK(number("0") == "0");
  CHECK(number("007") == "7");
  CHECK(number("4294967295") == "4294967295");
  CHECK(number("4294967296") == "error");
  CHECK(number("99999999999999999999999") == "error");
  CHECK(number("") == "error");
  CHECK(number("-1") == "error");
  CHECK(number64("9223372036854775807") == "9223372036854775807");
  CHECK(number64("9223372036854775808") == "error");
  const FramedCommand zero = line("0"), leading = line("01"), one = line("1");
  CHECK_FALSE(Cursor(zero).nz_number());
  CHECK_FALSE(Cursor(leading).nz_number());
  CHECK(Cursor(one).nz_number().value() == 1);
  CHECK_FALSE(Cursor(zero).nz_number64());
}

TEST_CASE("dates come with and without quotes") {
  const FramedCommand bare = line("1-Feb-1994"), in_quotes = line("\"1-Feb-1994\""), half = line("\"1-Feb-1994");
  CHECK(format_imap_date(Cursor(bare).date().value()) == "1-Feb-1994");
  CHECK(format_imap_date(Cursor(in_quotes).date().value()) == "1-Feb-1994");
  CHECK_FALSE(Cursor(half).date());
}

TEST_CASE("flag lists may be empty and end where they end") {
  const auto flags = [](const char* text) {
    const FramedCommand command = line(text);
    Cursor cursor(command);
    const auto list = cursor.flag_list();
    return list && cursor.at_end() ? list->to_wire() : "error";
  };
  CHECK(flags("()") == "");
  CHECK(flags("(\\seen $Junk)") == "\\Seen $Junk");
  for (const char* text :
       {"", "(", "(\\Seen", "( \\Seen)", "(\\Seen )", "(\\Seen  $Junk)", "(\\)", "(\\*)", "\\Seen", "(\\Seen))"}) {
    CAPTURE(text);
    CHECK(flags(text) == "error");
  }
}

TEST_CASE("words are recognised whole and in any case") {
  const FramedCommand command = line("Charset utf-8");
  Cursor cursor(command);
  CHECK_FALSE(cursor.accept_word("CHAR"));
  CHECK_FALSE(cursor.accept_sp_word("CHARSET"));
  CHECK(cursor.accept_word("CHARSET"));
  CHECK_FALSE(cursor.accept_sp_word("UTF"));
  CHECK(cursor.accept_sp_word("UTF-8"));
  CHECK(cursor.at_end());
}

TEST_CASE("spaces at the end are let through, and a failed end does not move") {
  const FramedCommand spaces = line("a  "), more = line("a  b");
  Cursor first(spaces);
  first.atom();
  CHECK(first.end());
  Cursor second(more);
  second.atom();
  CHECK_FALSE(second.end());
  CHECK(second.sp());
  CHECK_FALSE(second.atom());  // one space, not two
}

TEST_CASE("unknown values are skipped whole, nested only so deep") {
  const auto skipped = [](const FramedCommand& command) {
    Cursor cursor(command);
    return cursor.skip_value() && cursor.at_end();
  };
  for (const char* text : {"abc", "1:5,7", "\"a b\"", "()", "(a)", "(a (b \"c\") ())", "((a) b)"}) {
    CAPTURE(text);
    CHECK(skipped(line(text)));
  }
  CHECK(skipped(framed("(a {2}\r\n() b)")));
  for (const char* text : {"", "(", ")", "(a", "(a ", "(a))", "a b", "(a  b)", "(\"a)"}) {
    CAPTURE(text);
    CHECK_FALSE(skipped(line(text)));
  }
  CHECK(skipped(line(std::string(limits::nesting_max, '(') + "a" + std::string(limits::nesting_max, ')'))));
  CHECK_FALSE(
      skipped(line(std::string(limits::nesting_max + 1, '(') + "a" + std::string(limits::nesting_max + 1, ')'))));
}

TEST_CASE("a cursor needs a text") {
  const FramedCommand nothing;
  CHECK_THROWS_AS(Cursor{nothing}, BugError);
}
