// Fuzzes Framer: whatever arrives, in whatever pieces, the same events come out, memory stays bounded, and
// nothing is lost. The first octet says how the rest is cut and what becomes of literals.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/imap/framer.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

enum class Choice { buffer, stream, refuse };

FramerLimits small_limits() {
  FramerLimits limits;
  limits.command_text_bytes_max = 200;
  limits.literal_bytes_max = 100;
  limits.command_literal_bytes_max = 150;
  limits.command_literals_max = 5;
  limits.discard_bytes_max = 1'000;
  return limits;
}

void choose(Framer& framer, Choice choice) {
  if (choice == Choice::buffer) framer.buffer_literal();
  if (choice == Choice::stream) framer.stream_literal();
  if (choice == Choice::refuse) framer.refuse_literal(Error(ErrorKind::over_quota, "no"));
}

std::string run(std::string_view bytes, std::size_t piece_size, Choice choice) {
  Framer framer(small_limits());
  std::string events;
  while (true) {
    const Framer::Event event = framer.next();
    if (event == Framer::Event::literal_due) {
      events += 'd' + std::to_string(framer.literal().size);
      choose(framer, choice);
      if (framer.continuation_due()) events += '+';
    } else if (event == Framer::Event::command) {
      const FramedCommand command = framer.take_command();
      if (command.texts.size() != command.literals.size() + 1) std::abort();
      for (const Literal& literal : command.literals) {
        if (literal.bytes.size() != literal.size) std::abort();
      }
      events += 'c';
      for (const std::string& text : command.texts) events += text;
    } else if (event == Framer::Event::refused) {
      events += 'r';
      if (framer.take_refusal().fatal) return events + '!';
    } else {
      if (event == Framer::Event::streaming) events += framer.take_literal();
      if (framer.literal_left() > 0 && event == Framer::Event::streaming && framer.buffered() > 0) std::abort();
      if (framer.memory_held() > 4'000) std::abort();
      if (event == Framer::Event::streaming && framer.literal_left() == 0) continue;
      if (bytes.empty()) return events;
      framer.feed(bytes.substr(0, piece_size));
      bytes.remove_prefix(std::min(piece_size, bytes.size()));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto choice = static_cast<Choice>(data[0] % 3);
  const std::size_t piece_size = 1 + data[0] / 3;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (run(bytes, piece_size, choice) != run(bytes, 64, choice)) std::abort();
  return 0;
}
