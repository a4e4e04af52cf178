#include "server/imap/fetch_sections.h"

#include <doctest/doctest.h>

#include "storage/body_reader.h"
#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::imap;
using test::must;
using Kind = SectionContent::Kind;

TEST_CASE("the sections of one message that are read at once are bounded together; the others are streamed") {
  const std::string header = "Content-Transfer-Encoding: base64\r\n\r\n";
  std::string message = header;
  while (message.size() < 150'000) message += "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=QUJDREVG\r\n";
  storage::ReadMessage reader(message);
  std::vector<FetchItem> items(50);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].kind = i % 2 == 0 ? FetchItem::Kind::body_section : FetchItem::Kind::binary_section;
    if (i % 2 != 0) items[i].section.part = {1};
    items[i].partial.emplace();
    items[i].partial->offset = i;
    items[i].partial->count = 100'000;
  }
  std::uint64_t at_once = 0;
  std::size_t streamed = 0;
  for (const SectionContent& content : must(load_sections(reader, items))) {
    CHECK((content.kind == Kind::bytes) == !content.bytes.empty());
    at_once += content.bytes.size();
    if (content.kind == Kind::range || content.kind == Kind::decoded) ++streamed;
    CHECK(content.size == 100'000);
  }
  CHECK(at_once <= section_inline_bytes_max);
  CHECK(streamed == 48);
}
