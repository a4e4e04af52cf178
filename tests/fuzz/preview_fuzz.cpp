// preview_of: whatever the message is, a line of valid UTF-8 of the promised length comes out. HtmlText: the same text
// wherever the document is cut.
#include "protocol/mime/html_text.h"
#include "protocol/mime/preview.h"
#include "protocol/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

static void require_same_in_pieces(std::string_view html) {
  mime::HtmlText reader(mime::HtmlHead::hidden);
  std::string text;
  reader.feed(html.substr(0, html.size() / 3), text);
  reader.feed(html.substr(html.size() / 3), text);
  reader.finish(text);
  fuzz::require(text == mime::html_to_text(html));
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  require_same_in_pieces(fuzz::text_of(data, size));
  const std::string preview = mime::preview_of(fuzz::text_of(data, size));
  fuzz::require(text::is_valid_utf8(preview));
  fuzz::require(preview.find_first_of("\r\n\t") == std::string::npos);
  std::size_t characters = 0;
  for (std::string_view rest = preview; !rest.empty(); ++characters) {
    rest.remove_prefix(text::first_code_point(rest).length);
  }
  fuzz::require(characters <= mime::preview_characters_max);
  return 0;
}
