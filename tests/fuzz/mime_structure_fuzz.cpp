// StructureParser: any bytes give a tree that keeps its promises, whatever the cuts and however small the limits.
#include "protocol/mime/search_text.h"
#include "protocol/mime/structure.h"
#include "protocol/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;
using namespace postkeep::mime;

namespace {

std::size_t check(const Part& part, std::uint64_t begin, std::uint64_t end) {
  fuzz::require(part.header.begin >= begin && part.header.end == part.body.begin && part.body.end <= end);
  fuzz::require(part.header.begin <= part.header.end && part.body.begin <= part.body.end);
  fuzz::require(!part.type.empty() && !part.subtype.empty() && !part.encoding_name.empty());
  fuzz::require(part.is_multipart() == (!part.children.empty() && !part.is_message()));
  fuzz::require(!part.is_message() || (part.children.size() == 1 && part.children[0].envelope.has_value()));
  std::size_t parts = 1;
  std::uint64_t from = part.body.begin;
  for (const Part& child : part.children) {
    parts += check(child, from, part.body.end);
    from = child.body.end;
  }
  return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message = fuzz::text_of(data, size);
  Limits small;
  small.nesting_max = 5;
  small.parts_max = 10;
  small.header_octets_max = 200;
  small.tree_octets_max = 1000;
  for (const Limits& limits : {Limits(), small}) {
    const Part whole = parse_structure(message, limits);
    fuzz::require(whole.header.begin == 0 && whole.body.end == size && whole.envelope.has_value());
    // A multipart that had no part is given one, so there can be twice as many.
    fuzz::require(check(whole, 0, size) <= 2 * limits.parts_max);
    StructureParser parser(limits);
    fuzz::feed_in_pieces(message, [&](std::string_view piece) { parser.feed(piece); });
    fuzz::require(parser.finish() == whole);
    std::string text;
    SearchTextExtractor extractor(whole, [&](SearchArea, std::string_view utf8) { text.append(utf8); });
    fuzz::feed_in_pieces(message, [&](std::string_view piece) { extractor.feed(piece); });
    extractor.finish();
    fuzz::require(text::is_valid_utf8(text));
  }
  return 0;
}
