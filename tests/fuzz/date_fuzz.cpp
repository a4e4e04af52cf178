// Fuzzes all forms of dates: what is accepted and can be printed reads back as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/mail/date_time.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first_year = UnixTime{-62'167'219'200};  // 0000-01-01
  const auto past_last_year = UnixTime{253'402'300'800};
  const auto printable = [&](UnixTime time) { return time >= first_year && time < past_last_year; };

  if (const auto day = parse_imap_date(text)) {
    if (parse_imap_date(format_imap_date(*day)).value() != *day) std::abort();
  }
  if (const auto time = parse_imap_date_time(text); time && printable(time->time)) {
    if (parse_imap_date_time(format_imap_date_time(time->time))->time != time->time) std::abort();
  }
  if (const auto time = parse_rfc5322_date(text)) {
    (void)time->local_day();
    const auto again = parse_rfc5322_date(format_rfc5322_date(time->time));
    if (printable(time->time) && time->time >= UnixTime{-30'610'224'000} && (!again || again->time != time->time))
      std::abort();
  }
  return 0;
}
