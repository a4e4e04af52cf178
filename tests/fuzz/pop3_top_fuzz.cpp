// TopCutter: the first octet says how many lines; the cuts do not matter, and the result is what counting lines one by
// one finds.
#include <string>

#include "protocol/pop3/top.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

namespace {

std::string_view counted(std::string_view message, std::uint64_t lines) {
  std::size_t at = 0;
  bool in_body = false;
  while (at < message.size() && (!in_body || lines > 0)) {
    const std::size_t lf = message.find('\n', at);
    const std::string_view line = message.substr(at, lf == message.npos ? lf : lf - at);
    at = lf == message.npos ? message.size() : lf + 1;
    if (in_body) --lines;
    if (lf != message.npos && (line.empty() || line == "\r")) in_body = true;
  }
  return message.substr(0, at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint64_t lines = data[0] % 8;
  const std::string_view message = fuzz::text_of(data + 1, size - 1);
  const std::string_view expected = counted(message, lines);
  pop3::TopCutter whole(lines);
  fuzz::require(whole.feed(message) == expected);
  pop3::TopCutter cut(lines);
  std::string top;
  fuzz::feed_in_pieces(message, [&](std::string_view piece) { top += cut.feed(piece); });
  fuzz::require(top == expected && whole.done() == cut.done());
  return 0;
}
