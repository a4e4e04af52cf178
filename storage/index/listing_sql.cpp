#include "storage/index/listing_sql.h"

#include <array>

#include "storage/index/message_sql.h"
#include "storage/index/row_values.h"

namespace postkeep::storage {
namespace {

// Columns of the statement; the large ones come last and are NULL where they are not wanted, for what is named is
// copied.
enum ListedColumn : int {
  listed_id,
  listed_internal_date,
  listed_save_date,
  listed_served,
  listed_is_cached,
  listed_line_end,
  listed_email_id,
  listed_thread_id,
  listed_envelope,
  listed_body_structure,
  listed_headers,
};

bool wants_cache_row(const FetchWants& wants) {
  return wants.object_ids || wants.envelope || wants.body_structure || wants.headers || wants.line_end;
}

std::string listing_text(const FetchWants& wants) {
  const auto cached = [](bool wanted, const char* column) { return wanted ? ", c." + std::string(column) : ", NULL"; };
  const bool joined = wants_cache_row(wants);
  return "SELECT f.id, f.internal_date, f.save_date, f.served" + cached(joined, "id") +
         cached(wants.line_end, "ends_in_crlf") + cached(wants.object_ids, "email_id") +
         cached(wants.object_ids, "thread_id") + cached(wants.envelope, "envelope") +
         cached(wants.body_structure, "body_structure") + cached(wants.headers, "headers") + " FROM file f" +
         (joined ? " LEFT JOIN cache c ON c.id = f.id" : "") + " WHERE f.id BETWEEN ? AND ? ORDER BY f.id";
}

// A text for each combination of the cache's columns, at an address that stays: prepare() knows statements by it.
const char* listing_sql(const FetchWants& wants) {
  static const std::array<std::string, 32> texts = [] {
    std::array<std::string, 32> made;
    for (unsigned bits = 0; bits < made.size(); ++bits) {
      FetchWants some;
      some.line_end = (bits & 1) != 0;
      some.object_ids = (bits & 2) != 0;
      some.envelope = (bits & 4) != 0;
      some.body_structure = (bits & 8) != 0;
      some.headers = (bits & 16) != 0;
      made[bits] = listing_text(some);
    }
    return made;
  }();
  const unsigned bits = (wants.line_end ? 1U : 0U) | (wants.object_ids ? 2U : 0U) | (wants.envelope ? 4U : 0U) |
                        (wants.body_structure ? 8U : 0U) | (wants.headers ? 16U : 0U);
  return texts[bits].c_str();
}

// False where the index does not have what is wanted.
bool read_listed(const Statement& statement, const FetchWants& wants, MessageRow& row) {
  if (wants_cache_row(wants) && statement.is_null(listed_is_cached)) return false;
  const std::int64_t served = statement.integer(listed_served);
  if (wants.size && served == served_unknown) return false;
  row.uid = uid_of_row(statement.integer(listed_id));
  if (wants.dates) {
    row.internal_date = UnixTime{statement.integer(listed_internal_date)};
    row.save_date = UnixTime{statement.integer(listed_save_date)};
  }
  if (wants.size) row.size = static_cast<std::uint64_t>(served);
  if (wants.line_end) row.ends_in_crlf = statement.integer(listed_line_end) != 0;
  if (wants.object_ids) {
    row.email_id = id_from_blob<EmailId>(statement.blob(listed_email_id));
    row.thread_id = id_from_blob<ThreadId>(statement.blob(listed_thread_id));
  }
  if (wants.envelope) row.envelope = statement.blob(listed_envelope);
  if (wants.body_structure) row.body_structure = statement.blob(listed_body_structure);
  if (wants.headers && statement.is_null(listed_headers)) {
    row.cached_headers.reset();
  } else if (wants.headers) {
    if (!row.cached_headers) row.cached_headers.emplace();
    row.cached_headers->assign(statement.blob(listed_headers));
  }
  return true;
}

// Small gaps are read over: a statement of its own for each range costs more.
constexpr std::uint32_t listed_gap_max = 4;

// `ranges` from `first` on that one statement reads; the index behind the last.
std::size_t end_of_span(const std::vector<UidSet::Range>& ranges, std::size_t first) {
  std::size_t end = first + 1;
  while (end < ranges.size() && ranges[end].first.value() - ranges[end - 1].last.value() <= listed_gap_max) ++end;
  return end;
}

}  // namespace

Result<UidSet> visit_listed(Database& database, std::int64_t key, const UidSet& uids, const FetchWants& wants,
                            const std::function<bool(MessageRow&)>& visit) {
  const auto& ranges = uids.ranges();
  MessageRow row;
  for (std::size_t at = 0; at < ranges.size();) {
    const std::size_t end = end_of_span(ranges, at);
    Statement statement = TRY(database.prepare(listing_sql(wants)));
    statement.bind(1, row_id(key, ranges[at].first)).bind(2, row_id(key, ranges[end - 1].last));
    while (TRY(statement.step())) {
      const Uid uid = uid_of_row(statement.integer(listed_id));
      while (ranges[at].last < uid) ++at;
      if (uid < ranges[at].first) continue;
      if (!read_listed(statement, wants, row)) {
        return uids.intersect(UidSet::of_range(uid, Uid(~std::uint32_t{0})));
      }
      if (!visit(row)) return UidSet();
    }
    at = end;
  }
  return UidSet();
}

}  // namespace postkeep::storage
