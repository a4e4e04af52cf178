// preview_of: whatever the message is, a line of valid UTF-8 of the promised length comes out.
#include "protocol/mime/preview.h"
#include "protocol/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
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
