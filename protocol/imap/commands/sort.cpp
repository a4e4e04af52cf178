#include "protocol/imap/commands/sort.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/imap/limits.h"

namespace postkeep::imap {
namespace {

// sort-key. RFC 5256 §5, RFC 5957 §5.
constexpr std::pair<std::string_view, SortKey> sort_keys[] = {
    {"ARRIVAL", SortKey::arrival},
    {"CC", SortKey::cc},
    {"DATE", SortKey::date},
    {"DISPLAYFROM", SortKey::display_from},
    {"DISPLAYTO", SortKey::display_to},
    {"FROM", SortKey::from},
    {"SIZE", SortKey::size},
    {"SUBJECT", SortKey::subject},
    {"TO", SortKey::to},
};

// sort-criterion: ["REVERSE" SP] sort-key.
Result<SortCriterion> parse_criterion(Cursor& cursor) {
  SortCriterion criterion;
  std::string name = TRY(cursor.keyword());
  if (name == "REVERSE") {
    criterion.reverse = true;
    TRY(cursor.sp());
    name = TRY(cursor.keyword());
  }
  const auto* const row = std::ranges::find(sort_keys, name, &std::pair<std::string_view, SortKey>::first);
  if (row == std::end(sort_keys)) return tl::unexpected<Error>(cursor.error("Unknown sort criterion " + name));
  criterion.key = row->second;
  return criterion;
}

}  // namespace

Result<CharsetAndKeys> parse_charset_and_keys(Cursor& cursor) {
  CharsetAndKeys criteria;
  TRY(cursor.sp());
  const std::string charset = TRY(cursor.astring());
  criteria.charset = named_charset(charset);
  TRY(cursor.sp());
  criteria.key = TRY(parse_search_keys(cursor, criteria.charset == NamedCharset::unknown ? "" : charset));
  return criteria;
}

Result<SortArgs> parse_sort(Cursor& cursor) {
  SortArgs args;
  if (cursor.accept_sp_word("RETURN")) {
    args.form = SearchArgs::Form::extended;
    args.returns = TRY(parse_search_return(cursor));
    // A window on a sorted result is CONTEXT=SORT's (RFC 5267 §4.4).
    if (args.returns.partial) return tl::unexpected<Error>(cursor.error("PARTIAL is for SEARCH"));
  }
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  do {
    if (args.criteria.size() == limits::sort_criteria_max) {
      return tl::unexpected<Error>(cursor.error("Too many sort criteria"));
    }
    args.criteria.push_back(TRY(parse_criterion(cursor)));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  CharsetAndKeys criteria = TRY(parse_charset_and_keys(cursor));
  args.charset = criteria.charset;
  args.key = std::move(criteria.key);
  return args;
}

}  // namespace postkeep::imap
