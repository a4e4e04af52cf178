#include "protocol/pop3/command.h"

#include <doctest/doctest.h>

#include <vector>

#include "protocol/line/line_framer.h"
#include "tests/support/results.h"
#include "tests/support/split_feed.h"

using namespace postkeep;
using namespace postkeep::pop3;
using test::kind_of;
using test::must;

TEST_CASE("a POP3 line is a keyword in any case and what follows one space") {
  const auto both = [](std::string_view line) {
    const CommandLine read = must(parse_command_line(line));
    return read.keyword + "|" + std::string(read.arguments);
  };
  CHECK(both("STAT") == "STAT|");
  CHECK(both("stat ") == "STAT|");
  CHECK(both("Retr 1") == "RETR|1");
  CHECK(both("TOP 1 10") == "TOP|1 10");
  CHECK(both("PASS  two  spaces ") == "PASS| two  spaces ");
}

TEST_CASE("what has no keyword of three or four letters is no POP3 command") {
  for (const std::string_view line :
       {"", " ", " STAT", "ST", "STATS", "ST\tT 1", "R\xC3\xA9TR 1", "12 3", "GET / HTTP/1.1"}) {
    CAPTURE(line);
    const auto read = parse_command_line(line);
    CHECK((line.starts_with("GET") ? read.has_value() : kind_of(read) == ErrorKind::bad_syntax));
  }
}

TEST_CASE("a line may have 255 octets with its end, one with credentials more") {
  const auto line_of = [](const std::string& keyword, std::size_t octets) {
    return keyword + " " + std::string(octets - keyword.size() - 1, '1');
  };
  CHECK(parse_command_line(line_of("RETR", 253)));
  CHECK(kind_of(parse_command_line(line_of("RETR", 254))) == ErrorKind::bad_syntax);
  CHECK(kind_of(parse_command_line(line_of("USER", 254))) == ErrorKind::bad_syntax);
  CHECK(parse_command_line(line_of("auth", 5'000)));
  CHECK(parse_command_line(line_of("PASS", 5'000)));
}

TEST_CASE("commands without arguments have none") {
  CHECK(parse_nothing(""));
  CHECK(parse_nothing("  "));
  CHECK(kind_of(parse_nothing("1")) == ErrorKind::bad_syntax);
}

TEST_CASE("a message number is digits; what is larger than any message is the largest number") {
  CHECK(must(parse_message("1")).number == 1);
  CHECK(must(parse_message(" 12 ")).number == 12);
  CHECK(must(parse_message("0")).number == 0);
  CHECK(must(parse_message("007")).number == 7);
  CHECK(must(parse_message("4294967295")).number == 4294967295U);
  CHECK(must(parse_message("4294967296")).number == 4294967295U);
  CHECK(must(parse_message("99999999999999999999999999")).number == 4294967295U);
  for (const std::string_view bad : {"", "x", "-1", "+1", "1.0", "0x1", "1 2", "1,2", "1:*"}) {
    CAPTURE(bad);
    CHECK(kind_of(parse_message(bad)) == ErrorKind::bad_syntax);
  }
}

TEST_CASE("LIST and UIDL take one message or none") {
  CHECK_FALSE(must(parse_list("")).number);
  CHECK_FALSE(must(parse_list(" ")).number);
  CHECK(must(parse_list("3")).number == 3U);
  CHECK(kind_of(parse_list("x")) == ErrorKind::bad_syntax);
  CHECK(kind_of(parse_list("1 2")) == ErrorKind::bad_syntax);
}

TEST_CASE("TOP takes a message and a count of lines") {
  CHECK(must(parse_top("2 0")).number == 2);
  CHECK(must(parse_top("2 0")).lines == 0);
  CHECK(must(parse_top("1  30")).lines == 30);
  CHECK(must(parse_top("1 18446744073709551616")).lines == UINT64_MAX);
  for (const std::string_view bad : {"", "1", "1 x", "x 1", "1 -1", "1 2 3"}) {
    CAPTURE(bad);
    CHECK(kind_of(parse_top(bad)) == ErrorKind::bad_syntax);
  }
}

TEST_CASE("a name is the rest of the line, a password all of it") {
  CHECK(must(parse_user("alice")).name == "alice");
  CHECK(must(parse_user("alice@example.org ")).name == "alice@example.org");
  CHECK(kind_of(parse_user("")) == ErrorKind::bad_syntax);
  CHECK(kind_of(parse_user("  ")) == ErrorKind::bad_syntax);
  CHECK(must(parse_pass(" a  b ")).password.reveal() == " a  b ");
  CHECK(must(parse_pass(" ")).password.reveal() == " ");
  CHECK(kind_of(parse_pass("")) == ErrorKind::bad_syntax);
}

TEST_CASE("APOP has a name, which may have spaces, and a digest") {
  const ApopArgs apop = must(parse_apop("m rose C4c9334bac560ecc979e58001b3e22fb"));
  CHECK(apop.name == "m rose");
  CHECK(apop.digest.reveal() == "c4c9334bac560ecc979e58001b3e22fb");
  for (const char* text : {"", "mrose", " c4c9334bac560ecc979e58001b3e22fb", "mrose c4c9334bac560ecc979e58001b3e22f",
                           "mrose c4c9334bac560ecc979e58001b3e22fg", "mrose c4c9334bac560ecc979e58001b3e22fb "}) {
    CAPTURE(text);
    CHECK(kind_of(parse_apop(text)) == ErrorKind::bad_syntax);
  }
}

TEST_CASE("AUTH names a mechanism and may bring the first response; alone it asks for the list") {
  CHECK(must(parse_auth("PLAIN")).mechanism == "PLAIN");
  CHECK_FALSE(must(parse_auth("PLAIN")).initial_response);
  CHECK(must(parse_auth("plain dGVzdA==")).initial_response == "dGVzdA==");
  CHECK(must(parse_auth("PLAIN =")).initial_response == "=");
  CHECK(must(parse_auth("")).mechanism.empty());
  CHECK(kind_of(parse_auth("PLAIN a b")) == ErrorKind::bad_syntax);
}

TEST_CASE("the same commands come out wherever the stream is cut") {
  const std::string stream = "user alice\r\nPASS a b\r\nTOP 1 2\n" + std::string(400, 'x') + "\r\nNOOP\r\nquit\r\n";
  for (const test::Split& split : test::every_split(stream)) {
    CAPTURE(split.name);
    line::LineFramer framer(command_line_octets_max);
    std::vector<std::string> read;
    for (const std::string_view piece : split.pieces) {
      framer.push(piece);
      std::string_view line;
      for (auto event = framer.next(line); event != line::LineFramer::Event::incomplete; event = framer.next(line)) {
        const bool whole = event == line::LineFramer::Event::line;
        read.push_back(whole ? must(parse_command_line(line)).keyword : "too long");
      }
    }
    CHECK(read == std::vector<std::string>{"USER", "PASS", "TOP", "too long", "NOOP", "QUIT"});
  }
}

TEST_CASE("a keyword may have digits, and LANG takes a language range, all or none") {
  CHECK(must(parse_command_line("utf8")).keyword == "UTF8");
  CHECK(must(parse_lang("")).range.empty());
  CHECK(must(parse_lang(" ")).range.empty());
  CHECK(must(parse_lang("*")).range == "*");
  CHECK(must(parse_lang("EN")).range == "en");
  CHECK(must(parse_lang("zh-Hant-TW")).range == "zh-hant-tw");
  CHECK(must(parse_lang("es-419")).range == "es-419");
  for (const std::string_view bad :
       {"e1", "419", "-", "en-", "-en", "en--us", "de fr", "abcdefghi", "en-*", "\xC3\xA9"}) {
    CAPTURE(bad);
    CHECK(kind_of(parse_lang(bad)) == ErrorKind::bad_syntax);
  }
}
