// Dates as mail writes them. RFC 9051 §9 (date, date-time), RFC 5322 §3.3 and §4.3 (Date: fields).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep {

// An instant: whole seconds since 1970-01-01T00:00:00Z (may be negative).
struct UnixTime {
  std::int64_t seconds = 0;
  auto operator<=>(const UnixTime&) const = default;
};

// A calendar day without a zone: days since 1970-01-01.
struct Day {
  std::int32_t days = 0;
  auto operator<=>(const Day&) const = default;
};

// An instant and the zone in which it was written. SENTBEFORE and its like disregard time and zone
// (RFC 9051 §6.4.4), so they need the day as written.
struct ZonedTime {
  UnixTime time;
  std::int32_t zone_minutes = 0;  // east of UTC
  Day local_day() const;
};

Day day_of(UnixTime time);  // the UTC day

// "17-Jul-1996 02:44:25 -0700" with the leading space form " 7-Jul-1996 ..." too; bad_syntax otherwise.
Result<ZonedTime> parse_imap_date_time(std::string_view text);
// The same form, in UTC: "17-Jul-1996 09:44:25 +0000" (always 26 characters, no quotes).
std::string format_imap_date_time(UnixTime time);
// "1-Feb-1994", quotes already removed.
Result<Day> parse_imap_date(std::string_view text);
std::string format_imap_date(Day day);

// The value of a Date: field, obsolete forms and common mistakes included; nullopt if no day can be read.
std::optional<ZonedTime> parse_rfc5322_date(std::string_view value);
// "Thu, 01 Jan 1970 00:00:00 +0000", for Received: and the like.
std::string format_rfc5322_date(UnixTime time);

}  // namespace postkeep
