#include "server/admin/progress_bar.h"

#include <doctest/doctest.h>

using namespace postkeep::admin;

TEST_CASE("a line of progress says what, how far, how fast and how long still") {
  CHECK(progress_line({1200, 2400, "messages", "INBOX"}, 4, 200) ==
        "INBOX  [##########..........]  50%  1,200/2,400 messages  300/s  4 s left");
  CHECK(progress_line({0, 10, "messages", ""}, 0, 200) == "[....................]   0%  0/10 messages");
  CHECK(progress_line({10, 10, "messages", ""}, 1, 200) == "[####################] 100%  10/10 messages  10/s");
  CHECK(progress_line({12, 0, "messages", "x"}, 0, 200) == "x  12 messages");
  CHECK(progress_line({3 * 1024 * 1024, 0, "octets", ""}, 3, 200) == "3.0 MiB  1.0 MiB/s");
  CHECK(progress_line({20, 10, "messages", ""}, 1, 30).size() == 30);
}

TEST_CASE("numbers are written for people") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(1234567) == "1,234,567");
  CHECK(human_octets(1023) == "1023 B");
  CHECK(human_octets(1536) == "1.5 KiB");
  CHECK(human_octets(5ULL * 1024 * 1024 * 1024) == "5.0 GiB");
}
