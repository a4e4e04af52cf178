// Dot stuffing: the cuts do not matter, no bare LF is left, and what was stuffed comes back.
#include "protocol/line/dot_stuffing.h"

#include <string>

#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  line::DotUnstuffer whole;
  std::string message;
  const std::size_t used = whole.feed(input, message);
  fuzz::require(whole.finished() ? used <= size && input.substr(0, used).ends_with(".\r\n") : used == size);
  for (std::size_t i = 0; i < message.size(); ++i)
    fuzz::require(message[i] != '\n' || (i > 0 && message[i - 1] == '\r'));

  line::DotUnstuffer cut;
  std::string message_of_pieces;
  std::size_t used_of_pieces = 0;
  fuzz::feed_in_pieces(input, [&](std::string_view piece) { used_of_pieces += cut.feed(piece, message_of_pieces); });
  fuzz::require(message == message_of_pieces && used == used_of_pieces && whole.finished() == cut.finished());

  line::DotStuffer stuffer;
  std::string wire;
  fuzz::feed_in_pieces(message, [&](std::string_view piece) { stuffer.feed(piece, wire); });
  stuffer.finish(wire);
  line::DotUnstuffer back;
  std::string again;
  fuzz::require(back.feed(wire, again) == wire.size() && back.finished());
  fuzz::require(again.starts_with(message) && again.size() <= message.size() + 2);
  return 0;
}
