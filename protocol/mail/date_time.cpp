// The calendar, and IMAP's forms of a date. The forms of the Date: field are in rfc5322_date.cpp.
#include "protocol/mail/date_time.h"

#include <algorithm>
#include <array>

#include "protocol/base/ascii.h"
#include "protocol/mail/calendar.h"

namespace postkeep {
namespace {

constexpr std::int64_t seconds_per_day = 86'400;

// Four digits are all that any of our forms has for the year.
constexpr UnixTime first_printable{calendar::days_from_civil(0, 1, 1) * seconds_per_day};
constexpr UnixTime last_printable{calendar::days_from_civil(10'000, 1, 1) * seconds_per_day - 1};

std::int64_t floor_days(std::int64_t seconds) {
  return seconds >= 0 ? seconds / seconds_per_day : -((-seconds + seconds_per_day - 1) / seconds_per_day);
}

// Exactly `count` digits at `at`; -1 if they are not there.
int fixed_digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!ascii::is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "-Jul-1996" after a day of the month.
std::optional<Day> month_and_year(std::string_view text, int day) {
  if (text.size() != 9 || text[0] != '-' || text[4] != '-') return std::nullopt;
  const int month = calendar::month_from_name(text.substr(1, 3));
  const int year = fixed_digits(text, 5, 4);
  if (month == 0 || year < 0 || !calendar::is_valid(year, month, day)) return std::nullopt;
  return Day{static_cast<std::int32_t>(calendar::days_from_civil(year, month, day))};
}

// "02:44:25 -0700": seconds since the day's midnight in UTC, and the zone in minutes.
struct TimeAndZone {
  std::int32_t seconds;
  std::int32_t zone_minutes;
};
std::optional<TimeAndZone> time_and_zone(std::string_view text) {
  if (text.size() != 14 || text[2] != ':' || text[5] != ':' || text[8] != ' ') return std::nullopt;
  if (text[9] != '+' && text[9] != '-') return std::nullopt;
  const int hour = fixed_digits(text, 0, 2);
  const int minute = fixed_digits(text, 3, 2);
  const int second = fixed_digits(text, 6, 2);
  const int zone_hours = fixed_digits(text, 10, 2);
  const int zone_minutes = fixed_digits(text, 12, 2);
  const auto within = [](int value, int most) { return value >= 0 && value <= most; };
  if (!within(hour, 23) || !within(minute, 59) || !within(second, 60)) return std::nullopt;  // 60: a leap second
  if (!within(zone_hours, 23) || !within(zone_minutes, 59)) return std::nullopt;
  const std::int32_t east = (zone_hours * 60 + zone_minutes) * (text[9] == '-' ? -1 : 1);
  return TimeAndZone{hour * 3600 + minute * 60 + second - east * 60, east};
}

struct Printable {
  calendar::Civil date;
  std::int64_t days;
  int hour, minute, second;
};
Printable to_printable(UnixTime time) {
  const std::int64_t seconds = std::clamp(time, first_printable, last_printable).seconds;
  const std::int64_t days = floor_days(seconds);
  const int of_day = static_cast<int>(seconds - days * seconds_per_day);
  return Printable{calendar::civil_from_days(days), days, of_day / 3600, of_day / 60 % 60, of_day % 60};
}

// By hand, since printf was a twelfth of what a FETCH of INTERNALDATE costs.
void append_digits(std::string& out, int value, std::size_t count) {
  out.append(count, '0');
  for (std::size_t at = out.size(); value > 0 && count > 0; value /= 10, --count) {
    out[--at] = static_cast<char>('0' + value % 10);
  }
}

std::string_view month_name(const Printable& time) {
  return calendar::month_names[static_cast<std::size_t>(time.date.month - 1)];
}

// " 02:44:25 +0000"
void append_time(std::string& out, const Printable& time) {
  char before = ' ';
  for (const int part : {time.hour, time.minute, time.second}) {
    out += before;
    append_digits(out, part, 2);
    before = ':';
  }
  out += " +0000";
}

}  // namespace

Day ZonedTime::local_day() const {
  return Day{static_cast<std::int32_t>(floor_days(time.seconds + std::int64_t{zone_minutes} * 60))};
}

Day day_of(UnixTime time) { return Day{static_cast<std::int32_t>(floor_days(time.seconds))}; }

Result<ZonedTime> parse_imap_date_time(std::string_view text) {
  const auto invalid = failure(ErrorKind::bad_syntax, "Invalid date-time");
  // date-day-fixed is (SP DIGIT) / 2DIGIT; a lone digit is what some clients send instead.
  if (text.starts_with(' ')) text.remove_prefix(1);
  const std::size_t day_digits = text.size() > 1 && text[1] == '-' ? 1 : 2;
  const int day_number = fixed_digits(text, 0, day_digits);
  if (day_number < 0 || text.size() != day_digits + 9 + 1 + 14) return invalid;
  const auto day = month_and_year(text.substr(day_digits, 9), day_number);
  const auto time = time_and_zone(text.substr(day_digits + 10));
  if (!day || !time || text[day_digits + 9] != ' ') return invalid;
  return ZonedTime{UnixTime{std::int64_t{day->days} * seconds_per_day + time->seconds}, time->zone_minutes};
}

std::string format_imap_date_time(UnixTime time) {
  const Printable p = to_printable(time);
  std::string out;
  out.reserve(26);
  append_digits(out, p.date.day, 2);
  ((out += '-') += month_name(p)) += '-';
  append_digits(out, p.date.year, 4);
  append_time(out, p);
  return out;
}

Result<Day> parse_imap_date(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == 1 || dash == 2) {
    const int day_number = fixed_digits(text, 0, dash);
    if (const auto day = month_and_year(text.substr(dash), day_number)) return *day;
  }
  return failure(ErrorKind::bad_syntax, "Invalid date");
}

std::string format_imap_date(Day day) {
  const Printable p = to_printable(UnixTime{std::int64_t{day.days} * seconds_per_day});
  std::string out = std::to_string(p.date.day);
  ((out += '-') += month_name(p)) += '-';
  append_digits(out, p.date.year, 4);
  return out;
}

std::string format_rfc5322_date(UnixTime time) {
  const Printable p = to_printable(time);
  constexpr std::array<std::string_view, 7> weekdays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  const std::size_t weekday = static_cast<std::size_t>((p.days % 7 + 7) % 7);  // day 0 was a Thursday
  std::string out(weekdays[weekday]);
  out += ", ";
  append_digits(out, p.date.day, 2);
  ((out += ' ') += month_name(p)) += ' ';
  append_digits(out, p.date.year, 4);
  append_time(out, p);
  return out;
}

}  // namespace postkeep
