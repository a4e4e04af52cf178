#include "protocol/imap/framer.h"

#include <doctest/doctest.h>

#include <functional>

#include "protocol/base/ensure.h"
#include "tests/support/split_feed.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

enum class Choice { buffer, stream, refuse };

struct Plan {
  FramerLimits limits;
  std::function<Choice(const Framer&)> choose = [](const Framer&) { return Choice::buffer; };
};

std::string show(const FramedCommand& command) {
  std::string out;
  for (std::size_t i = 0; i < command.texts.size(); ++i) {
    out += '<' + command.texts[i] + '>';
    if (i < command.literals.size()) {
      out += command.literals[i].kind == LiteralKind::literal8 ? '~' : '=';
      out += command.literals[i].bytes;
    }
  }
  return out;
}

// What a session would see, one line an event.
std::string transcript(const std::vector<std::string_view>& pieces, const Plan& plan) {
  Framer framer(plan.limits);
  std::string out;
  bool in_stream = false;
  for (const std::string_view piece : pieces) {
    framer.feed(piece);
    for (Framer::Event event = framer.next(); event != Framer::Event::need_more; event = framer.next()) {
      if (event == Framer::Event::streaming) {
        const std::string octets = framer.take_literal();
        if (octets.empty()) break;
        if (!in_stream) out += "stream ";
        in_stream = true;
        out += octets;
        if (framer.literal_left() == 0) {
          out += "\n";
          in_stream = false;
        }
      } else if (event == Framer::Event::literal_due) {
        const Choice choice = plan.choose(framer);
        out += "due " + std::to_string(framer.literal().size) + (framer.literal().synchronising ? "" : "+") +
               (framer.literal().fits_in_memory ? "" : " large") + " " + show(framer.partial()) + "\n";
        if (choice == Choice::buffer) framer.buffer_literal();
        if (choice == Choice::stream) framer.stream_literal();
        if (choice == Choice::refuse) framer.refuse_literal(Error(ErrorKind::over_quota, "no room"));
        if (framer.continuation_due()) out += "+\n";
      } else if (event == Framer::Event::command) {
        out += "command " + show(framer.take_command()) + "\n";
      } else {
        const Refusal refusal = framer.take_refusal();
        out += "refused " + refusal.tag.value_or("?") + " " + std::string(to_string(refusal.error.kind)) +
               (refusal.fatal ? " fatal" : "") + "\n";
        if (refusal.fatal) return out;
      }
    }
  }
  return out + (framer.is_idle() ? "" : "more to come\n");
}

void check(const std::string& bytes, const std::string& expected, const Plan& plan = {}) {
  for (const test::Split& split : test::every_split(bytes)) {
    INFO(split.name);
    CHECK(transcript(split.pieces, plan) == expected);
  }
}

Plan always(Choice choice) {
  Plan plan;
  plan.choose = [choice](const Framer&) { return choice; };
  return plan;
}

}  // namespace

TEST_CASE("lines are commands") {
  check("a NOOP\r\n", "command <a NOOP>\n");
  check("a NOOP\r\nb NOOP\r\n", "command <a NOOP>\ncommand <b NOOP>\n");
  check("a NOOP\n", "command <a NOOP>\n");
  check("\r\n", "command <>\n");
  check("a \rNOOP\r\r\n", "command <a \rNOOP\r>\n");
  check(std::string("a \0\xFF\r\n", 6), std::string("command <a \0\xFF>\n", 15));
  check("a NOOP\r", "more to come\n");
  check("a NOOP", "more to come\n");
  check("", "");
}

TEST_CASE("a synchronising literal is announced and a continuation is due once it is accepted") {
  check("a LOGIN {4}\r\nfred {0}\r\n\r\n",
        "due 4 <a LOGIN >\n+\ndue 0 <a LOGIN >=fred< >\n+\ncommand <a LOGIN >=fred< >=<>\n");
  check("a LOGIN {4}\r\nfre", "due 4 <a LOGIN >\n+\nmore to come\n");
}

TEST_CASE("a non-synchronising literal needs no continuation") {
  check("a LOGIN {4+}\r\nf\r\nd x\r\n", "due 4+ <a LOGIN >\ncommand <a LOGIN >=f\r\nd< x>\n");
}

TEST_CASE("literal8 is told from literal") {
  check("a X ~{1}\r\nb\r\n", "due 1 <a X >\n+\ncommand <a X >~b<>\n");
  check("a X ~{1+}\r\nb\r\n", "due 1+ <a X >\ncommand <a X >~b<>\n");
  check("a X ~{1+}\r\n\r\r\n", "due 1+ <a X >\ncommand <a X >~\r<>\n");
}

TEST_CASE("what only looks like a literal is text") {
  for (const char* text :
       {"a {", "a }", "a {}", "a {+}", "a {1-}", "a {1+ }", "a {a}", "a {1}x", "a 1}", "a {-1}", "a {1++}"}) {
    check(std::string(text) + "\r\n", "command <" + std::string(text) + ">\n");
  }
}

TEST_CASE("a streamed literal passes through and the text before it is forgotten") {
  check("a APPEND x {5}\r\nhello (\\Seen) {3}\r\nabc\r\nb NOOP\r\n",
        "due 5 <a APPEND x >\n+\nstream hello\ndue 3 < (\\Seen) >\n+\nstream abc\ncommand <>\ncommand <b NOOP>\n",
        always(Choice::stream));
  check("a APPEND x {0+}\r\n {3+}\r\nabc\r\n", "due 0+ <a APPEND x >\ndue 3+ < >\nstream abc\ncommand <>\n",
        always(Choice::stream));
}

TEST_CASE("a mailbox name as literal is kept while the message behind it is streamed") {
  Plan plan;
  plan.choose = [](const Framer& f) {
    return f.partial().texts.back() == "a APPEND " ? Choice::buffer : Choice::stream;
  };
  check("a APPEND {1}\r\nx {3}\r\nabc\r\n", "due 1 <a APPEND >\n+\ndue 3 <a APPEND >=x< >\n+\nstream abc\ncommand <>\n",
        plan);
}

TEST_CASE("a refused synchronising literal ends the command, since it is never sent") {
  check("a APPEND x {5}\r\nb NOOP\r\n", "due 5 <a APPEND x >\nrefused a over_quota\ncommand <b NOOP>\n",
        always(Choice::refuse));
}

TEST_CASE("a refused non-synchronising literal is read past, and so is the rest of its command") {
  check("a APPEND x {5+}\r\nhello {2+}\r\n\r\n and {3}\r\nb NOOP\r\n",
        "due 5+ <a APPEND x >\nrefused a over_quota\ncommand <b NOOP>\n", always(Choice::refuse));
  check("a APPEND x {5+}\r\nhello\r\nb NOOP\r\n", "due 5+ <a APPEND x >\nrefused a over_quota\ncommand <b NOOP>\n",
        always(Choice::refuse));
}

TEST_CASE("the rest of a message can be refused while it is streamed") {
  Framer framer;
  framer.feed("a APPEND x {10}\r\n");
  REQUIRE(framer.next() == Framer::Event::literal_due);
  framer.stream_literal();
  framer.feed("01234");
  REQUIRE(framer.next() == Framer::Event::streaming);
  CHECK(framer.take_literal(2) == "01");
  CHECK(framer.literal_left() == 8);
  framer.refuse_literal(Error(ErrorKind::over_quota, "disk is full"));
  CHECK(framer.next() == Framer::Event::need_more);
  framer.feed("56789\r\nb NOOP\r\n");
  REQUIRE(framer.next() == Framer::Event::refused);
  const Refusal refusal = framer.take_refusal();
  CHECK(refusal.tag == "a");
  CHECK(refusal.error.kind == ErrorKind::over_quota);
  CHECK_FALSE(refusal.fatal);
  REQUIRE(framer.next() == Framer::Event::command);
  CHECK(framer.take_command().texts.front() == "b NOOP");
}

TEST_CASE("a literal that is too big for memory is refused before it is sent") {
  Plan plan;
  plan.limits.literal_bytes_max = 10;
  plan.limits.command_literal_bytes_max = 15;
  check("a X {11}\r\nb NOOP\r\n", "due 11 large <a X >\nrefused a too_big\ncommand <b NOOP>\n", plan);
  check("a X {10+}\r\n0123456789 {6+}\r\n012345\r\nb NOOP\r\n",
        "due 10+ <a X >\ndue 6+ large <a X >=0123456789< >\nrefused a too_big\ncommand <b NOOP>\n", plan);
  check("a X {18446744073709551615}\r\nb NOOP\r\n", "refused a bad_syntax\ncommand <b NOOP>\n", plan);
  check("a X {9223372036854775807}\r\nb NOOP\r\n",
        "due 9223372036854775807 large <a X >\nrefused a too_big\ncommand <b NOOP>\n", plan);
}

TEST_CASE("a literal that comes unasked and cannot be read past ends the connection") {
  Plan plan;
  plan.limits.literal_bytes_max = 10;
  plan.limits.discard_bytes_max = 20;
  check("a X {21+}\r\n", "due 21+ large <a X >\nrefused a too_big fatal\n", plan);
  check("a X {20+}\r\n01234567890123456789\r\n", "due 20+ large <a X >\nrefused a too_big fatal\n", plan);
  check("a X {12+}\r\n012345678901 {9+}\r\n", "due 12+ large <a X >\nrefused a too_big fatal\n", plan);
  check("a X {99999999999999999999+}\r\n", "refused a bad_syntax fatal\n", plan);
  check("a X {11+}\r\n01234567890\r\n", "due 11+ large <a X >\nrefused a too_big\n", plan);
}

TEST_CASE("a line that is too long is refused with its tag and without being kept") {
  Plan plan;
  plan.limits.command_text_bytes_max = 40;
  const std::string long_line = "tag " + std::string(200, 'x');
  check(long_line + "\r\nb NOOP\r\n", "refused tag bad_syntax\ncommand <b NOOP>\n", plan);
  check(std::string(200, 'x') + "\r\nb NOOP\r\n", "refused ? bad_syntax\ncommand <b NOOP>\n", plan);
  check(long_line + " {3+}\r\nabc\r\nb NOOP\r\n", "refused tag bad_syntax\ncommand <b NOOP>\n", plan);
  check(long_line + " {3}\r\nb NOOP\r\n", "refused tag bad_syntax\ncommand <b NOOP>\n", plan);

  Framer framer(plan.limits);
  for (int i = 0; i < 1000; ++i) {
    framer.feed(std::string(1000, 'x'));
    CHECK(framer.next() == Framer::Event::need_more);
    REQUIRE(framer.memory_held() < 200);
  }
}

TEST_CASE("many literals do not make a line longer than it may be") {
  Plan plan;
  plan.limits.command_text_bytes_max = 40;
  plan.limits.command_literals_max = 3;
  check("a X {1+}\r\n0 {1+}\r\n0 {1+}\r\n0 {1+}\r\n0\r\nb NOOP\r\n",
        "due 1+ <a X >\ndue 1+ <a X >=0< >\ndue 1+ <a X >=0< >=0< >\nrefused a bad_syntax\ncommand <b NOOP>\n", plan);
  check("a 0123456789012345678901234567 {1+}\r\n0 0123456789012345678901234567890123456789012345678\r\nb NOOP\r\n",
        "due 1+ <a 0123456789012345678901234567 >\nrefused a bad_syntax\ncommand <b NOOP>\n", plan);
}

TEST_CASE("an endless line ends the connection") {
  FramerLimits limits;
  limits.command_text_bytes_max = 100;
  limits.discard_bytes_max = 1000;
  Framer framer(limits);
  Framer::Event event = Framer::Event::need_more;
  for (int i = 0; i < 100 && event == Framer::Event::need_more; ++i) {
    framer.feed(std::string(50, 'x'));
    event = framer.next();
  }
  REQUIRE(event == Framer::Event::refused);
  CHECK(framer.take_refusal().fatal);
}

TEST_CASE("raw lines are read between commands, for DONE and AUTHENTICATE") {
  const std::string bytes = "DONE\r\n\r\nlo\rne\n" + std::string(30, 'x') + "\r\nb NOOP\r\n";
  for (const test::Split& split : test::every_split(bytes)) {
    INFO(split.name);
    Framer framer;
    std::string out;
    int lines = 0;
    for (const std::string_view piece : split.pieces) {
      framer.feed(piece);
      while (lines < 4) {
        auto line = framer.next_line(10);
        if (!line) {
          out += "too long\n";
        } else if (*line) {
          out += "[" + **line + "]\n";
        } else {
          break;
        }
        ++lines;
      }
    }
    CHECK(out == "[DONE]\n[]\n[lo\rne]\ntoo long\n");
    REQUIRE(framer.next() == Framer::Event::command);
    CHECK(framer.take_command().texts.front() == "b NOOP");
  }
}

TEST_CASE("a raw line of exactly its limit is read") {
  Framer framer;
  framer.feed("0123456789\r\n0123456789\n01234567890\r\n");
  CHECK(framer.next_line(10).value() == "0123456789");
  CHECK(framer.next_line(10).value() == "0123456789");
  CHECK_FALSE(framer.next_line(10));
}

TEST_CASE("what came behind a command is counted, so that STARTTLS can refuse to go on") {
  Framer framer;
  framer.feed("a STARTTLS\r\nb NOOP\r\n");
  REQUIRE(framer.next() == Framer::Event::command);
  framer.take_command();
  CHECK(framer.buffered() == 8);
  REQUIRE(framer.next() == Framer::Event::command);
  framer.take_command();
  CHECK(framer.buffered() == 0);
}

TEST_CASE("a framer between commands holds no memory") {
  Framer framer;
  for (int round = 0; round < 3; ++round) {
    framer.feed("a LOGIN {40+}\r\n" + std::string(40, 'u') + " " + std::string(5000, 'p') + "\r\n");
    for (auto event = framer.next(); event != Framer::Event::need_more; event = framer.next()) {
      if (event == Framer::Event::literal_due) framer.buffer_literal();
      if (event == Framer::Event::command) framer.take_command();
    }
    CHECK(framer.memory_held() == 0);
    CHECK(framer.is_idle());
  }
}

TEST_CASE("asking a framer out of turn is a bug") {
  Framer framer;
  CHECK_THROWS_AS(framer.take_command(), BugError);
  CHECK_THROWS_AS(framer.take_refusal(), BugError);
  CHECK_THROWS_AS(framer.buffer_literal(), BugError);
  CHECK_THROWS_AS(framer.stream_literal(), BugError);
  CHECK_THROWS_AS(framer.take_literal(), BugError);
  CHECK_THROWS_AS(framer.refuse_literal(Error()), BugError);
  framer.feed("a X {1}\r\n");
  framer.next();
  CHECK_THROWS_AS((void)framer.next_line(10), BugError);
}
