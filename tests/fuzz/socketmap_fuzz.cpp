// NetstringFramer and parse_query: strings are the same however the bytes are cut, and within the limit; each has an
// answer that is one netstring.
#include <string>
#include <vector>

#include "protocol/socketmap/netstring.h"
#include "protocol/socketmap/query.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;
using namespace postkeep::socketmap;
using fuzz::require;
using Event = NetstringFramer::Event;

namespace {

constexpr std::size_t limit = 60;

struct Cut {
  std::vector<std::string> strings;
  bool broken = false;
};

void take(NetstringFramer& framer, std::string_view piece, Cut& cut) {
  framer.push(piece);
  std::string_view text;
  Event event = framer.next(text);
  for (; event == Event::string; event = framer.next(text)) cut.strings.emplace_back(text);
  cut.broken = event == Event::broken;
}

void check_string(const std::string& text) {
  require(text.size() <= limit);
  const auto query = parse_query(text);
  if (query) require(query->map + " " + query->key == text && !query->map.empty());
  std::string out;
  write_answer(out, Answer(query ? Status::ok : Status::perm, text));
  NetstringFramer back(answer_octets_max);
  Cut answer;
  take(back, out, answer);
  require(answer.strings.size() == 1 && !answer.broken && back.buffered() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  NetstringFramer whole(limit);
  Cut at_once;
  take(whole, bytes, at_once);
  NetstringFramer pieces(limit);
  Cut in_pieces;
  fuzz::feed_in_pieces(bytes, [&](std::string_view piece) { take(pieces, piece, in_pieces); });
  require(at_once.strings == in_pieces.strings && at_once.broken == in_pieces.broken);
  for (const std::string& text : at_once.strings) check_string(text);
  return 0;
}
