#include "server/admin/text_table.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace postkeep::admin;
using Align = TextTable::Align;

namespace {

std::string printed(TextTable& table) {
  std::ostringstream out;
  table.print(out);
  return out.str();
}

}  // namespace

TEST_CASE("columns are aligned by what is seen, and lines have no spaces at their end") {
  TextTable table({Align::left, Align::right, Align::left});
  table.add({"\xE6\x97\xA5\xE6\x9C\xAC", "5", "first"});
  table.add({"a", "1234", ""});
  CHECK(printed(table) == "\xE6\x97\xA5\xE6\x9C\xAC     5  first\na     1234\n");
}

TEST_CASE("a later batch keeps the columns of the one before, and an empty column takes no room") {
  TextTable table({Align::left, Align::left, Align::left});
  table.add({"long name", "", "x"});
  CHECK(printed(table) == "long name  x\n");
  table.add({"a", "", "y"});
  CHECK(printed(table) == "a          y\n");
  CHECK(printed(table).empty());
}

TEST_CASE("cells cannot write to the terminal") {
  TextTable table({Align::left});
  table.add({"a\x1B[2J\nb"});
  CHECK(printed(table) == "a\xEF\xBF\xBD[2J b\n");
}

TEST_CASE("numbers are told in words") {
  CHECK(shown_octets(0) == "0 octets");
  CHECK(shown_octets(1) == "1 octet");
  CHECK(shown_octets(1023) == "1023 octets");
  CHECK(shown_octets(1536) == "1.5 KiB");
  CHECK(shown_octets(5ULL << 30) == "5.0 GiB");
  CHECK(counted(1, "message") == "1 message");
  CHECK(counted(0, "message") == "0 messages");
  CHECK(counted(2, "mailbox") == "2 mailboxes");
  CHECK(shown_time(0) == "1970-01-01 00:00:00 UTC");
}
