// SORT and THREAD: their arguments.
#include <doctest/doctest.h>

#include "protocol/imap/commands/sort.h"
#include "protocol/imap/commands/thread.h"
#include "protocol/imap/limits.h"
#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

std::string criteria(const std::string& list) {
  static const char* const names[] = {"arrival", "cc", "date",        "from",     "size",
                                      "subject", "to", "displayfrom", "displayto"};
  const auto args = parsed("SORT " + list + " UTF-8 ALL", parse_sort);
  if (!args) return "error: " + args.error().text;
  std::string out;
  for (const SortCriterion& criterion : args->criteria) {
    if (!out.empty()) out += ' ';
    out += (criterion.reverse ? "-" : "") + std::string(names[static_cast<int>(criterion.key)]);
  }
  return out;
}

std::string many_keys(std::size_t count) {
  std::string list = "(DATE";
  for (std::size_t i = 1; i < count; ++i) list += " REVERSE DATE";
  return list + ")";
}

bool sort_parses(const std::string& arguments) {
  const FramedCommand command = FramedCommand::of_line("a SORT " + arguments);
  Cursor cursor(command);
  return parse_command_head(cursor) && parse_sort(cursor);
}

}  // namespace

TEST_CASE("every sort criterion is read, in any case and with REVERSE") {
  CHECK(criteria("(ARRIVAL CC DATE FROM SIZE SUBJECT TO DISPLAYFROM DISPLAYTO)") ==
        "arrival cc date from size subject to displayfrom displayto");
  CHECK(criteria("(subject Reverse date)") == "subject -date");
  CHECK(criteria("(REVERSE REVERSE)").starts_with("error"));
  CHECK(sort_parses(many_keys(limits::sort_criteria_max) + " UTF-8 ALL"));
  CHECK_FALSE(sort_parses(many_keys(limits::sort_criteria_max + 1) + " UTF-8 ALL"));
}

TEST_CASE("SORT has a charset, search keys and what to return") {
  const auto args = parsed("UID SORT (DATE) \"iso-8859-1\" SUBJECT {1}\r\n\xFC", parse_sort).value();
  CHECK((args.form == SearchArgs::Form::classic));
  CHECK((args.key.kind == SearchKey::Kind::subject));
  CHECK(args.key.needle == "\xC3\xBC");
  const auto extended = parsed("SORT RETURN (MIN COUNT SAVE) (DATE) US-ASCII UNSEEN 1:3", parse_sort).value();
  CHECK((extended.form == SearchArgs::Form::extended));
  CHECK(extended.returns.min);
  CHECK(extended.returns.count);
  CHECK(extended.returns.save);
  CHECK_FALSE(extended.returns.all);
  CHECK(extended.key.children.size() == 2);
  CHECK(parsed("SORT RETURN () (DATE) UTF-8 ALL", parse_sort).value().returns.all);
  CHECK(parsed("SORT (DATE) KLINGON ALL", parse_sort)->charset == NamedCharset::unknown);
  CHECK(parsed("SORT (DATE) \"\" ALL", parse_sort)->charset == NamedCharset::unknown);
  CHECK(parsed("SORT (DATE) Utf-8 ALL", parse_sort)->charset == NamedCharset::utf8);
  CHECK(parsed("SORT (DATE) ISO-8859-1 ALL", parse_sort)->charset == NamedCharset::other);
}

TEST_CASE("a malformed SORT is refused") {
  check_bad(
      {"SORT", "SORT ", "SORT DATE UTF-8 ALL", "SORT () UTF-8 ALL", "SORT ( DATE) UTF-8 ALL", "SORT (DATE ) UTF-8 ALL",
       "SORT (DATE  TO) UTF-8 ALL", "SORT (BCC) UTF-8 ALL", "SORT (REVERSE) UTF-8 ALL", "SORT (DATE UTF-8 ALL",
       "SORT (DATE)", "SORT (DATE) UTF-8", "SORT (DATE) UTF-8 ", "SORT (DATE) UTF-8 NONSENSE", "SORT (DATE)UTF-8 ALL",
       "SORT RETURN (DATE) UTF-8 ALL", "SORT RETURN (PARTIAL 1:2) (DATE) UTF-8 ALL", "SORT RETURN () UTF-8 ALL"},
      parse_sort);
}

TEST_CASE("THREAD has an algorithm, a charset and search keys") {
  const auto algorithm = [](const std::string& name) {
    return parsed("THREAD " + name + " UTF-8 ALL", parse_thread).value().algorithm;
  };
  CHECK((algorithm("ORDEREDSUBJECT") == ThreadAlgorithm::ordered_subject));
  CHECK((algorithm("references") == ThreadAlgorithm::references));
  CHECK((algorithm("REFS") == ThreadAlgorithm::refs));
  const auto args = parsed("UID THREAD REFERENCES US-ASCII SINCE 5-MAR-2000 TEXT gewp", parse_thread).value();
  CHECK((args.key.kind == SearchKey::Kind::and_));
  CHECK(parsed("THREAD REFS KLINGON ALL", parse_thread)->charset == NamedCharset::unknown);
  CHECK(parsed("THREAD REFS UTF-8 ALL", parse_thread)->charset == NamedCharset::utf8);
  check_bad({"THREAD", "THREAD ", "THREAD JWZ UTF-8 ALL", "THREAD REFERENCES", "THREAD REFERENCES UTF-8",
             "THREAD (REFERENCES) UTF-8 ALL", "THREAD REFERENCES UTF-8 NONSENSE", "THREAD REFERENCES  UTF-8 ALL"},
            parse_thread);
}
