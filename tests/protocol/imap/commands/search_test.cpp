#include "protocol/imap/commands/search.h"

#include <doctest/doctest.h>

#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

using Kind = SearchKey::Kind;

std::string number_set(const SequenceSet& set) {
  std::string out;
  const auto number = [](std::uint32_t n) { return n == SequenceSet::star ? "*" : std::to_string(n); };
  for (const auto& range : set.ranges) {
    if (!out.empty()) out += ',';
    out += number(range.first);
    if (range.first != range.last) out += ':' + number(range.last);
  }
  return set.saved_result ? "$" : out;
}

std::string show(const SearchKey& key);

std::string joined(const SearchKey& key) {
  std::string out;
  for (const SearchKey& child : key.children) {
    if (!out.empty()) out += ' ';
    out += show(child);
  }
  return out;
}

const char* flag_name(SystemFlag flag) {
  switch (flag) {
    case SystemFlag::answered:
      return "answered";
    case SystemFlag::flagged:
      return "flagged";
    case SystemFlag::deleted:
      return "deleted";
    case SystemFlag::seen:
      return "seen";
    case SystemFlag::draft:
      return "draft";
  }
  return "?";
}

std::string show(const SearchKey& key) {
  const std::string day = format_imap_date(key.day);
  const std::string number = std::to_string(key.number);
  switch (key.kind) {
    case Kind::all:
      return "all";
    case Kind::has_flag:
      return flag_name(key.flag);
    case Kind::lacks_flag:
      return std::string("un") + flag_name(key.flag);
    case Kind::has_keyword:
      return "keyword=" + key.text;
    case Kind::lacks_keyword:
      return "unkeyword=" + key.text;
    case Kind::recent:
      return "recent";
    case Kind::not_recent:
      return "old";
    case Kind::unseen_recent:
      return "new";
    case Kind::sequence_set:
      return "seq=" + number_set(key.numbers);
    case Kind::uid_sequence:
      return "uid=" + number_set(key.numbers);
    case Kind::uid_set:
      return "uids";
    case Kind::header:
      return "header[" + key.text + "]=" + key.needle;
    case Kind::from:
      return "from=" + key.needle;
    case Kind::to:
      return "to=" + key.needle;
    case Kind::cc:
      return "cc=" + key.needle;
    case Kind::bcc:
      return "bcc=" + key.needle;
    case Kind::subject:
      return "subject=" + key.needle;
    case Kind::body:
      return "body=" + key.needle;
    case Kind::text:
      return "text=" + key.needle;
    case Kind::before:
      return "before=" + day;
    case Kind::on:
      return "on=" + day;
    case Kind::since:
      return "since=" + day;
    case Kind::sent_before:
      return "sentbefore=" + day;
    case Kind::sent_on:
      return "senton=" + day;
    case Kind::sent_since:
      return "sentsince=" + day;
    case Kind::saved_before:
      return "savedbefore=" + day;
    case Kind::saved_on:
      return "savedon=" + day;
    case Kind::saved_since:
      return "savedsince=" + day;
    case Kind::save_date_supported:
      return "savedatesupported";
    case Kind::older:
      return "older=" + number;
    case Kind::younger:
      return "younger=" + number;
    case Kind::larger:
      return "larger=" + number;
    case Kind::smaller:
      return "smaller=" + number;
    case Kind::modseq:
      return "modseq=" + number;
    case Kind::email_id:
      return "emailid=" + key.text;
    case Kind::thread_id:
      return "threadid=" + key.text;
    case Kind::and_:
      return "and(" + joined(key) + ")";
    case Kind::or_:
      return "or(" + joined(key) + ")";
    case Kind::not_:
      return "not(" + joined(key) + ")";
  }
  return "?";
}

std::string search(const std::string& program) {
  const auto args = parsed("SEARCH " + program, parse_search);
  return args ? show(args->key) : "error: " + args.error().text;
}

bool parses(const std::string& program) {
  const FramedCommand command = FramedCommand::of_line("a SEARCH " + program);
  Cursor cursor(command);
  return parse_command_head(cursor) && parse_search(cursor);
}

std::string repeated(std::size_t n, const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("every search key of RFC 9051 and RFC 3501 is read") {
  struct Row {
    const char* program;
    const char* expected;
  };
  const Row rows[] = {
      {"ALL", "all"},
      {"answered", "answered"},
      {"BCC x", "bcc=x"},
      {"BEFORE 1-Feb-1994", "before=1-Feb-1994"},
      {"BODY \"a b\"", "body=a b"},
      {"CC x", "cc=x"},
      {"DELETED", "deleted"},
      {"DRAFT", "draft"},
      {"FLAGGED", "flagged"},
      {"FROM \"Smith\"", "from=Smith"},
      {"HEADER X-Foo \"\"", "header[X-Foo]="},
      {"KEYWORD $Junk", "keyword=$Junk"},
      {"LARGER 0", "larger=0"},
      {"NEW", "new"},
      {"NOT SEEN", "not(seen)"},
      {"OLD", "old"},
      {"ON \"1-Feb-1994\"", "on=1-Feb-1994"},
      {"OR SEEN DRAFT", "or(seen draft)"},
      {"RECENT", "recent"},
      {"SEEN", "seen"},
      {"SENTBEFORE 1-Feb-1994", "sentbefore=1-Feb-1994"},
      {"SENTON 1-Feb-1994", "senton=1-Feb-1994"},
      {"SENTSINCE 1-Feb-1994", "sentsince=1-Feb-1994"},
      {"SINCE 1-Feb-1994", "since=1-Feb-1994"},
      {"SMALLER 9223372036854775807", "smaller=9223372036854775807"},
      {"SUBJECT {3}\r\na\"b", "subject=a\"b"},
      {"TEXT x]", "text=x]"},
      {"TO x", "to=x"},
      {"UID 1:*,7", "uid=1:*,7"},
      {"UNANSWERED", "unanswered"},
      {"UNDELETED", "undeleted"},
      {"UNDRAFT", "undraft"},
      {"UNFLAGGED", "unflagged"},
      {"UNKEYWORD work", "unkeyword=work"},
      {"UNSEEN", "unseen"},
      {"2:4,*", "seq=2:4,*"},
      {"*", "seq=*"},
      {"$", "seq=$"},
      {"UID $", "uid=$"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.program);
    CHECK(search(row.program) == row.expected);
  }
}

TEST_CASE("search keys of the extensions are read") {
  CHECK(search("OLDER 1 YOUNGER 4294967295") == "and(older=1 younger=4294967295)");
  CHECK(search("MODSEQ 620162338") == "modseq=620162338");
  CHECK(search("MODSEQ \"/flags/\\\\draft\" all 620162338") == "modseq=620162338");
  CHECK(search("EMAILID M6d99ac3275bb4e THREADID T64b478a75b7ea9") ==
        "and(emailid=M6d99ac3275bb4e threadid=T64b478a75b7ea9)");
  CHECK(search("SAVEDBEFORE 1-Feb-1994 SAVEDON 1-Feb-1994 SAVEDSINCE 1-Feb-1994 SAVEDATESUPPORTED") ==
        "and(savedbefore=1-Feb-1994 savedon=1-Feb-1994 savedsince=1-Feb-1994 savedatesupported)");
}

TEST_CASE("search keys combine") {
  CHECK(search("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"") == "and(flagged since=1-Feb-1994 not(from=Smith))");
  CHECK(search("(SEEN (DRAFT) 1:2) ALL ") == "and(and(seen draft seq=1:2) all)");
  CHECK(search("OR (SEEN DRAFT) NOT OR 1 2 UID 3") == "and(or(and(seen draft) not(or(seq=1 seq=2))) uid=3)");
  CHECK(search("((((ALL))))") == "all");
}

TEST_CASE("search strings become UTF-8") {
  CHECK(search("CHARSET UTF-8 SUBJECT {2}\r\n\xC3\xBC") == "subject=\xC3\xBC");
  CHECK(search("CHARSET \"iso-8859-1\" SUBJECT {1}\r\n\xFC") == "subject=\xC3\xBC");
  CHECK(search("SUBJECT \"\xC3\xBC\"") == "subject=\xC3\xBC");
  const auto charset_of = [](const std::string& text) { return parsed("SEARCH " + text, parse_search)->charset; };
  CHECK(charset_of("ALL") == NamedCharset::none);
  CHECK(charset_of("CHARSET x-none ALL") == NamedCharset::unknown);
  CHECK(charset_of("CHARSET utf-8 ALL") == NamedCharset::utf8);
  CHECK(charset_of("CHARSET US-ASCII ALL") == NamedCharset::other);
}

TEST_CASE("SEARCH says what to return") {
  const auto returns = [](const char* command) {
    const auto args = parsed(command, parse_search).value();
    std::string out = args.form == SearchArgs::Form::extended ? "extended" : "classic";
    if (args.returns.min) out += " min";
    if (args.returns.max) out += " max";
    if (args.returns.all) out += " all";
    if (args.returns.count) out += " count";
    if (args.returns.save) out += " save";
    return out;
  };
  CHECK(returns("SEARCH ALL") == "classic");
  CHECK(returns("SEARCH RETURN () ALL") == "extended all");
  CHECK(returns("UID SEARCH return (MIN max COUNT ALL save) CHARSET UTF-8 ALL") == "extended min max all count save");
  CHECK(returns("SEARCH RETURN (SAVE) ALL") == "extended save");
}

TEST_CASE("a malformed SEARCH is refused") {
  check_bad({"SEARCH",
             "SEARCH ",
             "SEARCH ()",
             "SEARCH (ALL",
             "SEARCH ALL)",
             "SEARCH (ALL )",
             "SEARCH  ALL",
             "SEARCH ALL  SEEN",
             "SEARCH NONSENSE",
             "SEARCH NOT",
             "SEARCH OR SEEN",
             "SEARCH OR SEEN ",
             "SEARCH FROM",
             "SEARCH FROM ",
             "SEARCH HEADER x",
             "SEARCH BEFORE yesterday",
             "SEARCH BEFORE 30-Feb-1994",
             "SEARCH KEYWORD \\Seen",
             "SEARCH LARGER x",
             "SEARCH LARGER -1",
             "SEARCH OLDER 0",
             "SEARCH UID x",
             "SEARCH 0",
             "SEARCH 1,",
             "SEARCH MODSEQ",
             "SEARCH MODSEQ \"/flags/x\" nobody 1",
             "SEARCH CHARSET",
             "SEARCH CHARSET UTF-8",
             "SEARCH RETURN ALL",
             "SEARCH RETURN (ALL",
             "SEARCH RETURN (NONSENSE) ALL",
             "SEARCH RETURN (MIN)",
             "SEARCH RETURN (MIN MAX) ",
             "SEARCH SUBJECT caf\xC3\xA9"},
            parse_search);
}

TEST_CASE("SEARCH is nested only so deep and has only so many keys") {
  const std::size_t deep = limits::nesting_max - 1;
  CHECK(parses(repeated(deep, "(") + "ALL" + repeated(deep, ")")));
  CHECK_FALSE(parses(repeated(deep + 1, "(") + "ALL" + repeated(deep + 1, ")")));
  CHECK(parses(repeated(deep, "NOT ") + "ALL"));
  CHECK_FALSE(parses(repeated(deep + 1, "NOT ") + "ALL"));
  CHECK_FALSE(parses(repeated(60'000, "(")));
  CHECK(parses("ALL" + repeated(limits::search_keys_max - 1, " ALL")));
  CHECK_FALSE(parses("ALL" + repeated(limits::search_keys_max, " ALL")));
}
