#include "protocol/mail/date_time.h"

#include <doctest/doctest.h>

#include "protocol/mail/calendar.h"

using namespace postkeep;

TEST_CASE("the calendar counts every day from year 0 to 2400 once") {
  std::int64_t expected = calendar::days_from_civil(0, 1, 1);
  std::size_t wrong = 0;
  for (int year = 0; year <= 2400; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= calendar::days_in_month(year, month); ++day, ++expected) {
        const calendar::Civil back = calendar::civil_from_days(expected);
        const bool same = calendar::days_from_civil(year, month, day) == expected && back.year == year &&
                          back.month == month && back.day == day;
        if (!same) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(calendar::days_from_civil(1970, 1, 1) == 0);
  CHECK(calendar::days_from_civil(2000, 3, 1) == 11017);
}

TEST_CASE("IMAP date-times are read to the second, zone included") {
  const auto parsed = parse_imap_date_time("17-Jul-1996 02:44:25 -0700").value();
  CHECK(parsed.time.seconds == 837596665);
  CHECK(parsed.zone_minutes == -420);
  CHECK(format_imap_date_time(parsed.time) == "17-Jul-1996 09:44:25 +0000");
  CHECK(parse_imap_date_time(" 1-jan-1970 00:00:00 +0000")->time.seconds == 0);
  CHECK(parse_imap_date_time("01-JAN-1970 00:00:00 +0100")->time.seconds == -3600);
  CHECK(parse_imap_date_time("1-Jan-1970 00:00:01 +0000")->time.seconds == 1);
  CHECK(parse_imap_date_time("29-Feb-2024 23:59:60 +0000")->time.seconds == 1709251200);
}

TEST_CASE("the local day is the one that was written") {
  const auto late = parse_imap_date_time("31-Dec-1999 23:30:00 -0800").value();
  CHECK(format_imap_date(late.local_day()) == "31-Dec-1999");
  CHECK(format_imap_date(day_of(late.time)) == "1-Jan-2000");
  CHECK(day_of(UnixTime{-1}).days == -1);
  CHECK(day_of(UnixTime{-86400}).days == -1);
  CHECK(day_of(UnixTime{-86401}).days == -2);
}

TEST_CASE("what is no IMAP date-time is refused") {
  for (const char* text : {"",
                           "17-Jul-1996",
                           "17-Jul-1996 02:44:25",
                           "32-Jul-1996 02:44:25 -0700",
                           "30-Feb-1996 02:44:25 -0700",
                           "29-Feb-1900 02:44:25 -0700",
                           "00-Jul-1996 02:44:25 -0700",
                           "17-Jly-1996 02:44:25 -0700",
                           "17-Jul-96 02:44:25 -0700",
                           "17-Jul-1996 24:44:25 -0700",
                           "17-Jul-1996 02:60:25 -0700",
                           "17-Jul-1996 02:44:61 -0700",
                           "17-Jul-1996 02:44:25 0700",
                           "17-Jul-1996 02:44:25 -070",
                           "17-Jul-1996 02:44:25 -0760",
                           "17-Jul-1996 02:44:25 +2400",
                           "17-Jul-1996  02:44:25 -0700",
                           "17-Jul-1996 02:44:25 -0700 ",
                           "17/Jul/1996 02:44:25 -0700",
                           "17-Jul-1996 2:44:25 -0700",
                           "  7-Jul-1996 02:44:25 -0700",
                           "17-Jul-1996 02:44:25 GMT"}) {
    CAPTURE(text);
    const auto parsed = parse_imap_date_time(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::bad_syntax);
  }
}

TEST_CASE("IMAP dates go there and back") {
  for (const char* text : {"1-Feb-1994", "29-Feb-2000", "31-Dec-9999", "1-Jan-1970", "1-Jan-0000", "10-Oct-1900"}) {
    CHECK(format_imap_date(parse_imap_date(text).value()) == text);
  }
  CHECK(parse_imap_date("01-feb-1994").value() == parse_imap_date("1-FEB-1994").value());
  for (const char* text : {"", "1", "1-", "-Feb-1994", "1-Feb-94", "1-Feb-19945", "001-Feb-1994", "30-Feb-1994",
                           "1-Feb-1994 ", "1 Feb 1994"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_imap_date(text));
  }
}

TEST_CASE("times that four digits cannot show are shown as the nearest that they can") {
  CHECK(format_imap_date_time(UnixTime{INT64_MAX}) == "31-Dec-9999 23:59:59 +0000");
  CHECK(format_imap_date_time(UnixTime{INT64_MIN}) == "01-Jan-0000 00:00:00 +0000");
  CHECK(format_imap_date_time(UnixTime{0}).size() == 26);
}

TEST_CASE("dates for Received fields name the right weekday") {
  CHECK(format_rfc5322_date(UnixTime{0}) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(format_rfc5322_date(UnixTime{-1}) == "Wed, 31 Dec 1969 23:59:59 +0000");
  CHECK(format_rfc5322_date(UnixTime{1709251199}) == "Thu, 29 Feb 2024 23:59:59 +0000");
}

TEST_CASE("Date fields are read in all the forms in which they are found") {
  struct Row {
    const char* text;
    const char* utc;
    int zone;
  };
  const Row rows[] = {
      {"Thu, 13 Feb 1969 23:32:54 -0330", "14-Feb-1969 03:02:54 +0000", -210},
      {"Fri, 21 Nov 1997 09:55:06 -0600", "21-Nov-1997 15:55:06 +0000", -360},
      {"21 Nov 97 09:55:06 GMT", "21-Nov-1997 09:55:06 +0000", 0},
      {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "21-Nov-1997 15:55:06 +0000", -360},
      {"Thu,\r\n\t13\r\n Feb\r\n  1969\r\n 23:32\r\n -0330 (Newfoundland Time)", "14-Feb-1969 03:02:00 +0000", -210},
      {"Thu Jan  1 00:00:00 1970", "01-Jan-1970 00:00:00 +0000", 0},
      {"Thu Jan  1 00:00:00 EST 1970", "01-Jan-1970 05:00:00 +0000", -300},
      {"1-Jan-70 0:00 PST", "01-Jan-1970 08:00:00 +0000", -480},
      {"1970-01-01T00:00:00Z", "01-Jan-1970 00:00:00 +0000", 0},
      {"2003-07-01T10:52:37.123+02:00", "01-Jul-2003 08:52:37 +0000", 120},
      {"Mon, 1 Jan 01 12:00:00 +0000", "01-Jan-2001 12:00:00 +0000", 0},
      {"Mon, 1 Jan 49 12:00:00 +0000", "01-Jan-2049 12:00:00 +0000", 0},
      {"Mon, 1 Jan 50 12:00:00 +0000", "01-Jan-1950 12:00:00 +0000", 0},
      {"Mon, 1 Jan 103 12:00:00 +0000", "01-Jan-2003 12:00:00 +0000", 0},
      {"1 January 2003 3:04:05 PM +0000", "01-Jan-2003 15:04:05 +0000", 0},
      {"1 Jan 2003 12:04:05 AM +0000", "01-Jan-2003 00:04:05 +0000", 0},
      {"Tue, 1 Jul 2003 10:52:37+0200", "01-Jul-2003 08:52:37 +0000", 120},
      {"Tue, 1 Jul 2003 10.52.37 +0200", "01-Jul-2003 08:52:37 +0000", 120},
      {"Tue, 1 Jul 2003 10:52:37 -9999", "01-Jul-2003 10:52:37 +0000", 0},
      {"Tue, 1 Jul 2003 10:52:37 X", "01-Jul-2003 10:52:37 +0000", 0},
      {"Tuesday, July 1, 2003 10:52", "01-Jul-2003 10:52:00 +0000", 0},
      {"1 Jul 2003", "01-Jul-2003 00:00:00 +0000", 0},
      {"(a (nested \\) comment)) 1 Jul 2003 24:00", "02-Jul-2003 00:00:00 +0000", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = parse_rfc5322_date(row.text);
    REQUIRE(parsed);
    CHECK(format_imap_date_time(parsed->time) == row.utc);
    CHECK(parsed->zone_minutes == row.zone);
  }
}

TEST_CASE("a Date field without a day is no date") {
  for (const char* text :
       {"", " ", "today", "Jul 2003", "32 Jul 2003", "30 Feb 2003 10:00:00 +0000", "12:00:00 +0000", "(1 Jul 2003)",
        "1 Foo 2003", "0 Jul 2003", "99999999999999999999", "1 Jul", "----", "::::", "T", "2003-13-01"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc5322_date(text));
  }
}
