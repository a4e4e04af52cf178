#include "protocol/mail/message_ids.h"

#include <doctest/doctest.h>

using namespace postkeep;

namespace {

std::string ids(std::string_view value, std::size_t count_max = 100) {
  std::string out;
  for (const std::string& id : parse_message_ids(value, count_max)) out += (out.empty() ? "" : " ") + id;
  return out;
}

}  // namespace

TEST_CASE("message IDs are read in order, without brackets, quotes and white space") {
  CHECK(ids("<1@x>") == "1@x");
  CHECK(ids(" <1@x>\r\n\t<2@x><3@x> ") == "1@x 2@x 3@x");
  CHECK(ids("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>") == "01KF8JCEOCBS0045PS@xxx.yyy.com");
  CHECK(ids("<a.\"b\\\"c\".d@x>") == "a.b\"c.d@x");
  CHECK(ids("<a@\r\n x>") == "a@x");
  CHECK(ids("<a@b@c>") == "a@b@c");
  CHECK(ids("<A@x> <a@x>") == "A@x a@x");
  CHECK(ids("<\"<odd>\"@x>") == "<odd>@x");
}

TEST_CASE("what is no message ID is passed over") {
  CHECK(ids("").empty());
  CHECK(ids("1@x").empty());
  CHECK(ids("<1@x").empty());
  CHECK(ids("<>").empty());
  CHECK(ids("<1>").empty());
  CHECK(ids("<@x>").empty());
  CHECK(ids("<1@>").empty());
  CHECK(ids("<1 <2@x>") == "2@x");
  CHECK(ids("Your message of \"Mon, 2 Mar\" <2@x> from <nobody>") == "2@x");
  CHECK(ids("<\"1@x> <2@x>") == "1@x 2@x");  // a quotation mark that never ends
  CHECK(ids("<" + std::string(message_id_octets_max - 2, 'a') + "@x>").size() == message_id_octets_max);
  CHECK(ids("<" + std::string(message_id_octets_max - 1, 'a') + "@x>").empty());
}

TEST_CASE("of many message IDs the last ones are kept, and the first can be asked for") {
  CHECK(ids("<1@x> <2@x> <3@x>", 2) == "2@x 3@x");
  CHECK(first_message_id("<no> <1@x> <2@x>") == "1@x");
  CHECK(first_message_id("none").empty());
}
