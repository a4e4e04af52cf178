// parse_rfc5322_date: Date: fields as they are found, not only as they should be. RFC 5322 §3.3, §4.3.
// Declared in date_time.h. Reads words in any order that makes sense: "Thu, 1 Jan 1970 00:00:00 +0000",
// "Thu Jan  1 00:00:00 1970" (ctime), "1-Jan-70 0:00 PST", "1970-01-01T00:00:00Z".
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/ascii.h"
#include "protocol/mail/calendar.h"
#include "protocol/mail/date_time.h"

namespace postkeep {
namespace {

constexpr std::size_t words_max = 32;  // a date has about eight; a longer value is read as far as that

// The value without comments, cut at white space and commas.
std::vector<std::string> split_words(std::string_view value) {
  std::vector<std::string> words(1);
  int depth = 0;
  for (std::size_t i = 0; i < value.size() && words.size() <= words_max; ++i) {
    const char c = value[i];
    if (c == '\\' && depth > 0) {
      ++i;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (depth > 0) --depth;
    } else if (depth > 0) {
      continue;
    } else if (ascii::is_wsp(c) || c == '\r' || c == '\n' || c == ',') {
      if (!words.back().empty() && !words.back().ends_with(':')) words.emplace_back();
    } else if (c == ':' && words.back().empty() && words.size() > 1) {
      words.pop_back();  // "09 : 55" is obsolete but legal (RFC 5322 §4.3)
      words.back() += c;
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// Splits at a delimiter: "12:34:56" -> 12, 34, 56. Empty if any piece is not all digits or is too long.
std::vector<int> split_numbers(std::string_view text, char delimiter) {
  std::vector<int> numbers;
  while (true) {
    const std::size_t end = text.find(delimiter);
    const std::string_view piece = text.substr(0, end);
    if (piece.size() > 6 || !ascii::all(piece, ascii::is_digit)) return {};
    int value = 0;
    for (const char c : piece) value = value * 10 + (c - '0');
    numbers.push_back(value);
    if (end == std::string_view::npos) return numbers;
    text.remove_prefix(end + 1);
  }
}

// RFC 5322 §4.3: two digits are 1950 to 2049, three are counted from 1900.
int full_year(int year, std::size_t digits) {
  if (digits == 2) return year < 50 ? year + 2000 : year + 1900;
  if (digits == 3) return year + 1900;
  return year;
}

struct ZoneName {
  std::string_view name;
  int hours;
};
constexpr std::array<ZoneName, 15> zone_names = {{{"UT", 0},
                                                  {"UTC", 0},
                                                  {"GMT", 0},
                                                  {"Z", 0},
                                                  {"EST", -5},
                                                  {"EDT", -4},
                                                  {"CST", -6},
                                                  {"CDT", -5},
                                                  {"MST", -7},
                                                  {"MDT", -6},
                                                  {"PST", -8},
                                                  {"PDT", -7},
                                                  {"CET", 1},
                                                  {"CEST", 2},
                                                  {"BST", 1}}};

// What has been read so far; each reader takes one word and says whether it was its kind.
struct Fields {
  std::optional<int> day, month, year;
  std::optional<int> hour;
  int minute = 0;
  int second = 0;
  std::optional<int> zone_minutes;

  bool take_time(std::string_view word) {
    std::vector<int> parts = split_numbers(word, ':');
    if (parts.size() < 2) parts = split_numbers(word, '.');
    if (hour || parts.size() < 2 || parts.size() > 3) return false;
    if (parts[0] > 24 || parts[1] > 59 || (parts.size() == 3 && parts[2] > 61)) return false;
    hour = parts[0];
    minute = parts[1];
    second = parts.size() == 3 ? parts[2] : 0;
    return true;
  }

  bool take_half_day(std::string_view word) {
    if (!hour || *hour > 12) return false;
    if (ascii::iequals(word, "PM")) {
      if (*hour < 12) *hour += 12;
      return true;
    }
    if (!ascii::iequals(word, "AM")) return false;
    if (*hour == 12) hour = 0;
    return true;
  }

  bool take_zone(std::string_view word) {
    if (!hour || zone_minutes) return false;
    if (word.size() > 1 && (word[0] == '+' || word[0] == '-')) {
      std::string digits;
      for (const char c : word.substr(1)) {
        if (c != ':') digits += c;
      }
      if (digits.size() < 2 || digits.size() > 4 || !ascii::all(digits, ascii::is_digit)) return false;
      const int number = std::stoi(digits);
      const int hours = digits.size() <= 2 ? number : number / 100;
      const int minutes = digits.size() <= 2 ? 0 : number % 100;
      // A zone that is none ("-9999") is read as unknown, which counts as UTC.
      const bool real = hours <= 23 && minutes <= 59;
      zone_minutes = real ? (hours * 60 + minutes) * (word[0] == '-' ? -1 : 1) : 0;
      return true;
    }
    for (const ZoneName& zone : zone_names) {
      if (ascii::iequals(word, zone.name)) {
        zone_minutes = zone.hours * 60;
        return true;
      }
    }
    return false;
  }

  bool take_number(std::string_view word) {
    const std::vector<int> parts = split_numbers(word, '\n');
    if (parts.size() != 1) return false;
    if (!day && word.size() <= 2 && parts[0] >= 1 && parts[0] <= 31) {
      day = parts[0];
    } else if (!year && word.size() >= 2 && word.size() <= 4 && day && month) {
      year = full_year(parts[0], word.size());
    } else {
      return false;
    }
    return true;
  }

  bool take_month(std::string_view word) {
    if (month || word.size() < 3 || !ascii::all(word, [](char c) { return ascii::is_alpha(c) || c == '.'; }))
      return false;
    const int found = calendar::month_from_name(word.substr(0, 3));
    if (found == 0) return false;
    month = found;
    return true;
  }

  // "1-Jan-1970" or "1970-01-01".
  bool take_dashed(std::string_view word) {
    const std::size_t first = word.find('-');
    const std::size_t second_dash = first == std::string_view::npos ? first : word.find('-', first + 1);
    if (day || month || year || second_dash == std::string_view::npos) return false;
    const std::string_view middle = word.substr(first + 1, second_dash - first - 1);
    const std::string_view last = word.substr(second_dash + 1);
    const std::vector<int> ends = split_numbers(std::string(word.substr(0, first)) + " " + std::string(last), ' ');
    if (ends.size() != 2) return false;
    const std::vector<int> iso_month = split_numbers(middle, ' ');
    if (first == 4 && iso_month.size() == 1) {
      year = ends[0], month = iso_month[0], day = ends[1];
      return true;
    }
    if (!take_month(middle)) return false;
    day = ends[0];
    year = full_year(ends[1], last.size());
    return true;
  }
};

void take_word(Fields& fields, std::string_view word) {
  // A zone may stand right behind the time: "12:00:00+0100", "00:00:00Z"; a fraction of a second may too.
  if (fields.take_time(word) || fields.take_half_day(word) || fields.take_zone(word)) return;
  if (fields.take_month(word) || fields.take_number(word) || fields.take_dashed(word)) return;
  const std::size_t split = word.find_first_of("Tt");
  if (split == 10 && fields.take_dashed(word.substr(0, split))) {
    take_word(fields, word.substr(split + 1));
    return;
  }
  const std::size_t time_end = word.find_first_not_of("0123456789:");
  if (time_end == std::string_view::npos || time_end == 0 || !fields.take_time(word.substr(0, time_end))) return;
  std::string_view rest = word.substr(time_end);
  if (rest.starts_with('.')) rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  if (!fields.take_half_day(rest)) fields.take_zone(rest);
}

}  // namespace

std::optional<ZonedTime> parse_rfc5322_date(std::string_view value) {
  Fields fields;
  for (const std::string& word : split_words(value)) take_word(fields, word);
  if (!fields.day || !fields.month || !fields.year) return std::nullopt;
  if (!calendar::is_valid(*fields.year, *fields.month, *fields.day)) return std::nullopt;
  const std::int64_t days = calendar::days_from_civil(*fields.year, *fields.month, *fields.day);
  const int local = fields.hour.value_or(0) * 3600 + fields.minute * 60 + fields.second;
  const int zone = fields.zone_minutes.value_or(0);
  return ZonedTime{UnixTime{days * 86'400 + local - std::int64_t{zone} * 60}, zone};
}

}  // namespace postkeep
