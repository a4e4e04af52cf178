#include "protocol/mime/collation_keys.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::mime;

namespace {

std::string key(SortKey which, std::string_view header) {
  const std::vector<HeaderField> fields = read_header(header);
  return collation_key(which, fields);
}

std::vector<std::string> references(std::string_view header) {
  const std::vector<HeaderField> fields = read_header(header);
  return references_of(fields);
}

std::int64_t sent(std::string_view header) {
  const std::vector<HeaderField> fields = read_header(header);
  return sent_date(fields, UnixTime{42}).seconds;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("FROM, TO and CC are the mailbox of the first address") {
  CHECK(key(SortKey::from, "From: Ann <Ann.Lee@example.org>, b@example.org\r\n") == "ANN.LEE");
  CHECK(key(SortKey::to, "To: \"q x\"@example.org\r\n") == "Q X");
  CHECK(key(SortKey::cc, "Cc: friends: a@x, b@x;\r\n") == "FRIENDS");  // as ENVELOPE has groups
  CHECK(key(SortKey::to, "To: \r\nTo: second@x\r\n") == "SECOND");     // one list in ENVELOPE
  CHECK(key(SortKey::from, "From: \r\nFrom: second@x\r\n").empty());   // there the first counts
  CHECK(key(SortKey::to, "From: a@x\r\n").empty());
  CHECK(key(SortKey::from, "From: \xFF@x\r\n") == "\xFF\xEF\xBF\xBD");
}

TEST_CASE("what cannot be decoded stands behind all else, and is not folded") {
  CHECK(key(SortKey::subject, "Subject: =?x-unheard-of?Q?a?=\r\n") == "\xFF=?x-unheard-of?Q?a?=");
  CHECK(key(SortKey::subject, "Subject: Re: =?utf-8?Q?ab=FF?=\r\n") ==
        "\xFF"
        "ab\xEF\xBF\xBD");
  CHECK(key(SortKey::display_from, "From: =?utf-8?Q?=FF?= <a@x>\r\n") == "\xFF\xEF\xBF\xBD");
  CHECK(key(SortKey::subject, "Subject: =?utf-8?Q?z?=\r\n") == "Z");
  const std::string cut = key(SortKey::subject, "Subject: =?utf-8?Q?=FF?=" + std::string(3000, 'x') + "\r\n");
  CHECK(cut.size() == collation_key_octets_max);
}

TEST_CASE("DISPLAYFROM and DISPLAYTO are the name, else the address") {
  CHECK(key(SortKey::display_from, "From: Ann <z@example.org>\r\n") == "ANN");
  CHECK(key(SortKey::display_from, "From: =?utf-8?Q?=C3=A9va?= <z@x>\r\n") == "E\xCC\x81VA");
  CHECK(key(SortKey::display_from, "From: z@example.org (Old Form)\r\n") == "OLD FORM");
  CHECK(key(SortKey::display_to, "To: Bob@Example.org\r\n") == "BOB@EXAMPLE.ORG");
  CHECK(key(SortKey::display_to, "To: \"\" <b@x>\r\n") == "B@X");
  CHECK(key(SortKey::display_to, "To: friends: Ann <a@x>;\r\n") == "FRIENDS");
  CHECK(key(SortKey::display_to, "Cc: b@x\r\n").empty());
}

TEST_CASE("SUBJECT is the folded base subject, of bounded length") {
  CHECK(key(SortKey::subject, "Subject: Re: [list] =?iso-8859-1?Q?stra=DFe?=\r\n") ==
        "STRA\xC3\x9F"
        "E");
  CHECK(key(SortKey::subject, "Subject: fwd: \r\n").empty());
  CHECK(key(SortKey::subject, "To: a@x\r\n").empty());
  std::string ligatures;  // each three octets, and 33 when folded
  for (int i = 0; i < 3000; ++i) ligatures += "\xEF\xB7\xBA";
  const std::string cut = key(SortKey::subject, "Subject: " + ligatures + "\r\n");
  CHECK(cut.size() <= collation_key_octets_max);
  CHECK(cut.size() > collation_key_octets_max - 4);
  const std::vector<HeaderField> fields = read_header("Subject: Fwd: Hello\r\n");
  CHECK(thread_subject(fields).key == "HELLO");
  CHECK(thread_subject(fields).is_reply);
}

TEST_CASE("the sent date is that of Date in UTC, else the internal date") {
  CHECK(sent("Date: 31 Dec 2000 16:01:33 -0800\r\n") == sent("Date: 1 Jan 2001 00:01:33 +0000\r\n"));
  CHECK(sent("Date: 1 Jan 2001 00:01:33 +9999\r\n") == sent("Date: 1 Jan 2001 00:01:33 +0000\r\n"));
  CHECK(sent("Date: 1 Jan 2001 99:99 +0000\r\n") == sent("Date: 1 Jan 2001 00:00:00 +0000\r\n"));
  CHECK(sent("Date: yesterday\r\n") == 42);
  CHECK(sent("Subject: x\r\n") == 42);
}

TEST_CASE("references are those of References, else the first one of In-Reply-To") {
  CHECK(references("References: <1@x> <2@x>\r\nIn-Reply-To: <3@x>\r\n") == Ids{"1@x", "2@x"});
  CHECK(references("References: none\r\nIn-Reply-To: Ann <3@x> <4@x>\r\n") == Ids{"3@x"});
  CHECK(references("In-Reply-To: your mail\r\n").empty());
  CHECK(references("Subject: x\r\n").empty());
  std::string many = "References:";
  for (std::size_t i = 1; i <= references_max + 5; ++i) many += " <" + std::to_string(i) + "@x>";
  CHECK(references(many).size() == references_max);
  CHECK(references(many).back() == std::to_string(references_max + 5) + "@x");
  const std::vector<HeaderField> fields = read_header("Message-Id: <\"Own\"@x> <2@x>\r\n");
  CHECK(message_id_of(fields) == "Own@x");
}
